/*
 * The culprit: who holds the lock of a pipe that the daemon waits for, and does not let go of it. Found in /proc: who is in a
 * call on it, and waits for something else.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define CULPRIT_WORDS_MAX 256
#define CULPRIT_THINGS 2

/* What may be held. */
struct culprit_thing {
	char link[32]; /* of a pipe without a name, as /proc/PID/fd shows it: "pipe:[1]"; else empty */
	dev_t dev;     /* of a FIFO of the mount: the mount's, */
	uint64_t node; /* and its number; else 0 */
};

struct culprit_search {
	struct culprit_thing things[CULPRIT_THINGS]; /* zero: none */
	char words[CULPRIT_WORDS_MAX]; /* "process 1 (x) of user 2 is in read() on it"; empty: it cannot be told who */
};

/* Fills in the words. Takes its time, or for ever: on a thread of its own (errand.h). */
void culprit_find(struct culprit_search *s);
