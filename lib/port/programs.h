/*
 * The programs that are ports: spfs-port-NAME in one folder of the system's, each called NAME (program.h). Which there are is
 * looked at when one is to be started, by who may wait for that folder: a new one can be used at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "uri.h"

/* The threads that wait for the end of a program which who traces it holds up: they do not hold up the daemon's. */
#define PROGRAMS_THREAD "spfsd-wait"

#define PROGRAMS_PREFIX "spfs-port-"

/* Of all of them. */
extern const struct port_kind port_kind_program;

/* Before there are threads: the folder, an absolute path, which stays the caller's and there; without it there are none. */
void programs_in(const char *folder);

/*
 * Whether the folder can be it, for a mount at @mountpoint, an absolute path without links: not within that, where it would be hidden,
 * and nobody's to write but root's and the daemon's user. It may be missing yet. Blocks as its file system does. Returns 0 or a negative errno
 * with the reason in @why.
 */
int programs_check(const char *mountpoint, char why[URI_WHY_MAX]);

/* Whether one could be called by the first @len bytes of @name: lower case letters, digits and '-', up to 32. Never blocks. */
bool programs_may_have(const char *name, size_t len);

/*
 * The file of the one called @name: *path, NULL: not wanted, is the caller's. Blocks as the folder's file system does. Returns 0, -ENOENT (there
 * is none that can be executed), or -EPERM (others could write it, or a folder that it is in), -ENOMEM or another negative errno with the
 * reason in @why.
 */
int programs_look(const char *name, char **path, char why[URI_WHY_MAX]);

/* The same where there is to be one: it is -EINVAL else, and the reason says which kinds there are. */
int programs_find(const char *name, char **path, char why[URI_WHY_MAX]);

/*
 * At the daemon's end, once nothing is attached any more: those that are still on their way out get PROGRAMS_END_NSEC, then they
 * are killed with what they have started. It blocks for up to that, and half as long again where one is just being started. None
 * is from now on.
 */
void programs_end(void);

#define PROGRAMS_END_NSEC 1000000000u
