/* What a thread of a process waits in, as /proc tells. Any thread; nothing is waited for but an exec of that process. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define CULPRIT_DESCRIPTORS 2

struct culprit_wait {
	long call;             /* its number; -1: it waits in none */
	unsigned long args[3]; /* of the call */
	unsigned long place;   /* in the program; 0: it is one of the kernel's, for a ring */
};

/* Returns whether the kernel says it: it does not where the thread runs, or has gone, or may not be looked at. */
bool culprit_look(pid_t process, pid_t thread, struct culprit_wait *w);

/* Whether the thread waits for something that is not in a pipe, and is no pipe's lock. Where nobody can tell: false. */
bool culprit_waits_elsewhere(pid_t process, pid_t thread);

/* The descriptors that the call moves bytes of, or changes; -1: none. */
void culprit_descriptors(const struct culprit_wait *w, int fds[CULPRIT_DESCRIPTORS]);

/* Whether it may be in a call on any descriptor of the process. */
bool culprit_is_for_any(const struct culprit_wait *w);

/* The name of a system call, by its number: "read()". */
const char *culprit_call(long number, char buf[32]);
