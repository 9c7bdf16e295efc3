/*
 * The culprit: who has what the daemon waits for, and does not let go of it. Found in /proc: who has it open, and which
 * of those is inside a call on it.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CULPRIT_WORDS_MAX 256
#define CULPRIT_THINGS 2

/* What may be held. */
struct culprit_thing {
	char link[32];       /* of a pipe or socket without a name, as /proc/PID/fd shows it: "pipe:[1]"; else empty */
	dev_t dev;           /* of a FIFO of the mount: the mount's, */
	ino_t ino;           /* and its channel's; else 0 */
	char path[PATH_MAX]; /* and its own, absolute; empty: unknown */
};

struct culprit_search {
	struct culprit_thing things[CULPRIT_THINGS]; /* zero: none */
	char words[CULPRIT_WORDS_MAX]; /* "process 1 (x) of user 2 is in read() on it"; empty: nobody is found */
};

/* Fills in the words. Takes its time, or for ever: on a thread of its own (errand.h). */
void culprit_find(struct culprit_search *s);

/* The name of a system call, by its number: "read()". */
const char *culprit_call(long number, char buf[32]);

/* What a thread of a process waits in, from /proc. Returns false where it runs, or it is not told. */
struct culprit_wait {
	long call;
	unsigned long args[3];
};

bool culprit_look(pid_t process, pid_t thread, struct culprit_wait *w);
