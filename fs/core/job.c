#include "job.h"

#include "base.h"

static void job_back(struct loop_task *task)
{
	struct job *job = container_of(task, struct job, task);

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
