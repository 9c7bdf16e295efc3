/*
 * The programs that are ports: spfs-port-NAME in one folder of the system's, each a kind of its own called NAME (program.h).
 * A new one is a kind as soon as somebody names it; what was a kind stays one, and cannot be started where its file has gone.
 */
#pragma once

#include <stddef.h>

struct port_kind;

#define PROGRAMS_PREFIX "spfs-port-"

/* Before there are threads: the folder, an absolute path, which stays the caller's and there; without it there are none. */
void programs_in(const char *folder);

/*
 * The kind called by the first @len bytes of @name: lower case letters, digits and '-', up to 32. NULL: there is no such program, or
 * no memory. It looks into the folder, which is root's, or whose the daemon is. Any thread.
 */
const struct port_kind *program_kind_find(const char *name, size_t len);

/* Writes " NAME:" for each that is there into @list, as far as there is room, behind its first @len bytes. */
void programs_list(char *list, size_t size, size_t len);

/*
 * At the daemon's end, once nothing is attached any more: those that are still on their way out get PROGRAMS_END_NSEC, then they
 * are killed with what they have started. It blocks for up to that.
 */
void programs_end(void);

#define PROGRAMS_END_NSEC 1000000000u

/* PATH of @kind's file. The caller frees it. NULL: no memory. */
char *program_path(const struct port_kind *kind);
