/*
 * An errand: work that may never come back, for it waits for what users control. It has a thread of its own, and whoever
 * sent it goes on without it after a while. What hangs is counted per user, for as long as its thread is there: so one
 * user's errands refuse nobody else's.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"

/* Of one user at the same time, with those that nobody waits for any more. */
#define ERRAND_USER_MAX 8

/* For nobody's sake but the daemon's: what users hold up refuses none of these. No user has the number. */
#define ERRAND_NOBODY ((uid_t)-1)

struct user_count;

/* Embedded in what the thread works with, which is the errand's alone. Zero but for the first part. */
struct errand {
	/* Set before errand_start(). */
	void (*run)(struct errand *e); /* on the thread */
	/*
	 * On the loop's thread, exactly once. With @late set the thread still runs, and only what was there before the start
	 * may be looked at.
	 */
	void (*done)(struct errand *e);
	void (*free)(struct errand *e); /* on either thread, after both */
	struct loop *loop;
	uid_t uid;    /* for whose sake; or ERRAND_NOBODY */
	size_t stack; /* bytes; 0: what reading /proc takes */

	bool late; /* the loop's thread */

	/* Private: */
	atomic_int state;
	struct loop_task task;
	struct loop_io patience;
	struct user_count *count;
};

/*
 * Sends it, on the loop's thread, which waits for it up to @nsec nanoseconds, 0: until it comes back or is abandoned; the loop
 * does not end before done(). Returns 0,
 * or -EUSERS (that user has too many under way), -ENOMEM, or a negative errno of pthread_create(3): then nothing is called.
 */
int errand_start(struct errand *e, uint64_t nsec);

/* It is not waited for any more: done() is called now, @late. Only before done(). */
void errand_abandon(struct errand *e);
