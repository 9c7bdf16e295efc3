/*
 * A job: work for another thread that the FUSE thread has begun and goes on with once it is done. The FUSE thread
 * never waits for it. Embedded in what it is about, which must stay until @finish.
 */
#pragma once

#include "context.h"

struct job {
	struct loop_task task;
	struct context *ctx;
	void (*work)(struct job *job);   /* on the other thread */
	void (*finish)(struct job *job); /* on the FUSE thread; may free the job */
	bool longer;                     /* the work ends with job_done() */
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
