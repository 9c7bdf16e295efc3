/*
 * Whether a late job is done is settled by the one change of its state away from POSTED: its worker makes it BEGUN, or the
 * watchdog GIVEN_UP.
 */
#include "job.h"

#include "base.h"
#include "clock.h"
#include "engine.h"
#include "watchdog.h"

enum job_state { JOB_POSTED, JOB_BEGUN, JOB_GIVEN_UP };

static void job_back(struct loop_task *task)
{
	struct job *job = container_of(task, struct job, task);

	if (job->late && !job->is_late)
		LIST_REMOVE(job, waiting);
	job->finish(job);
}

void job_done(struct job *job)
{
	job->task.run = job_back;
	loop_post(job->ctx->loop, &job->task);
}

static void job_run(struct loop_task *task)
{
	struct job *job = container_of(task, struct job, task);
	bool longer = job->longer; /* the job may be gone afterwards */
	int posted = JOB_POSTED;

	if (!atomic_compare_exchange_strong(&job->state, &posted, JOB_BEGUN)) {
		job_done(job);
		return;
	}
	job->work(job);
	if (!longer)
		job_done(job);
}

static void job_begin(struct context *ctx, struct loop *thread, struct job *job, void (*work)(struct job *),
		      void (*finish)(struct job *), bool longer)
{
	*job = (struct job){ .task.run = job_run, .ctx = ctx, .work = work, .finish = finish, .longer = longer };
	loop_post(thread, &job->task);
}

void job_post(struct context *ctx, struct loop *thread, struct job *job, void (*work)(struct job *),
	      void (*finish)(struct job *))
{
	job_begin(ctx, thread, job, work, finish, false);
}

void job_post_longer(struct context *ctx, struct loop *thread, struct job *job, void (*work)(struct job *),
		     void (*finish)(struct job *))
{
	job_begin(ctx, thread, job, work, finish, true);
}

/* ---- who waits for it ---- */

uint64_t job_deadline(void)
{
	return clock_nsec() + JOB_PATIENCE_NSEC;
}

void job_patient(struct job *job, uint64_t until, void (*late)(struct job *job))
{
	job->late = late;
	job->until = until;
	LIST_INSERT_HEAD(&job->ctx->patient, job, waiting);
	watchdog_start(job->ctx);
}

bool job_given_up(const struct job *job)
{
	return atomic_load(&job->state) == JOB_GIVEN_UP;
}

bool job_is_due(const struct job *job, uint64_t now)
{
	return (job->worker && job->worker->stands) ||
	       (now >= job->until && (!job->longer || atomic_load(&job->state) == JOB_POSTED));
}

void job_tell_late(struct job *job)
{
	int posted = JOB_POSTED;

	LIST_REMOVE(job, waiting);
	atomic_compare_exchange_strong(&job->state, &posted, JOB_GIVEN_UP);
	job->is_late = true;
	job->late(job);
}
