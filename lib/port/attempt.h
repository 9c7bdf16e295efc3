/* What the thread of an opening works on. Its own: the opening may be gone before it is through. */
#pragma once

#include <stdatomic.h>
#include <time.h>

#include "opener.h"

enum attempt_state {
	ATTEMPT_RUNNING,
	ATTEMPT_READY,     /* the opening's: its loop takes the result */
	ATTEMPT_ABANDONED, /* the thread's: nobody wants the result */
};

struct user_count;

struct attempt {
	struct uri uri;
	struct rights rights;
	int process; /* own; -1: there is none to be looked at */
	enum port_dir dir;
	struct succession after;
	dev_t mount;
	atomic_int state;
	struct user_count *user;
	bool counted;
	timer_t again;     /* repeats the signal that interrupts */
	struct opening *o; /* only the thread that ends ATTEMPT_RUNNING may touch it */

	/* The result, as in struct opening: */
	int err;
	char why[URI_WHY_MAX];
	struct opened opened; /* at first what was passed */
};

/* For port_kind.open() (kinds.h): */

/* After a failed call: whether it was interrupted by chance, and is to be made again. */
bool attempt_again(const struct attempt *a);

/* Whether nobody waits for what comes of it any more: then nothing more is to be made. */
bool attempt_is_abandoned(const struct attempt *a);

/* Writes "VERB ADDRESS: what @err means" as the reason. Returns @err, negative. */
int attempt_failed(struct attempt *a, const char *verb, int err);
