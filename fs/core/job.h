/*
 * A job: work for another thread that the FUSE thread has begun and goes on with once it is done. The FUSE thread
 * never waits for it. Embedded in what it is about, which must stay until @finish.
 */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include "context.h"

struct job {
	struct loop_task task;
	struct context *ctx;
	void (*work)(struct job *job);   /* on the other thread */
	void (*finish)(struct job *job); /* on the FUSE thread; may free the job */
	bool longer;                     /* the work ends with job_done() */

	/* The FUSE thread's: */
	struct worker *worker; /* that does it; NULL: another thread does */
	void (*late)(struct job *job);
	bool is_late; /* late() was called */
	uint64_t until;
	LIST_ENTRY(job) waiting;

	atomic_int state; /* enum job_state */
};

/* Jobs of one thread are begun, and come back, in the order in which they were posted. */
void job_post(struct context *ctx, struct loop *thread, struct job *job, void (*work)(struct job *),
	      void (*finish)(struct job *));

/*
 * The same for work that goes on when work() has returned: it ends with job_done(), exactly once, on the thread that
 * works or within work().
 */
void job_post_longer(struct context *ctx, struct loop *thread, struct job *job, void (*work)(struct job *),
		     void (*finish)(struct job *));
void job_done(struct job *job);

/*
 * Who asks for something is answered so long after that at the latest, but for a tick of the watchdog's, however many steps it
 * takes: so the deadline is taken once, when it is asked for, and shared by them. In nanoseconds of CLOCK_MONOTONIC.
 */
#define JOB_PATIENCE_NSEC 4000000000u
uint64_t job_deadline(void);

/*
 * Somebody waits for the job, which was just posted, and is to be answered in time: @late is called, once, where its worker
 * stands, or at @until where it is not done (of work that ends with job_done(), not begun); never within this call.
 * finish() follows all the same, some day. What had not begun by then is not done any more (job_given_up()); the rest is
 * for finish() to undo, where it must be.
 */
void job_patient(struct job *job, uint64_t until, void (*late)(struct job *job));

/* In finish(): whether it was late, and nothing was done. */
bool job_given_up(const struct job *job);

/* For the watchdog. */
bool job_is_due(const struct job *job, uint64_t now);
void job_tell_late(struct job *job);
