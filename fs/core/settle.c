#include "settle.h"

#include "base.h"
#include "channel.h"
#include "clock.h"
#include "engine.h"

static void settle_run(struct settle_waiter *w)
{
	LIST_REMOVE(w, entry);
	loop_io_cancel(&w->late);
	w->run(w);
}

static void settle_finish(struct job *job)
{
	struct settle *s = container_of(job, struct settle, job);
	struct hold hold;

	hold_copy(&hold, s->hold);
	hold.inode->settling--;
	s->finish(s);
	while (!hold.inode->settling && !LIST_EMPTY(&hold.inode->waiters))
		settle_run(LIST_FIRST(&hold.inode->waiters));
	hold_drop(&hold);
}

static void settle_turned(struct loop_io *io, int res)
{
	struct settle *s = container_of(io, struct settle, turn);

	if (channel_closing(hold_channel(s->hold)))
		loop_io_timer(&s->turn, 0);
	else
		job_done(&s->job);
}

static void settle_work(struct job *job)
{
	struct settle *s = container_of(job, struct settle, job);

	s->work(s);
	job_done(job);
}

static void settle_work_closing(struct job *job)
{
	struct settle *s = container_of(job, struct settle, job);

	s->work(s);
	loop_io_init(&s->turn, hold_channel(s->hold)->worker->loop, settle_turned);
	loop_io_timer(&s->turn, 0);
}

static void settle_begin(struct settle *s, const struct hold *hold, void (*work)(struct settle *),
			 void (*finish)(struct settle *), void (*job)(struct job *))
{
	s->hold = hold;
	s->work = work;
	s->finish = finish;
	hold->inode->settling++;
	hold->inode->settles = clock_nsec();
	hold_post_longer(hold, &s->job, job, settle_finish);
}

void settle_post(struct settle *s, const struct hold *hold, void (*work)(struct settle *),
		 void (*finish)(struct settle *))
{
	settle_begin(s, hold, work, finish, settle_work);
}

void settle_post_closing(struct settle *s, const struct hold *hold, void (*work)(struct settle *),
			 void (*finish)(struct settle *))
{
	settle_begin(s, hold, work, finish, settle_work_closing);
}

static void settle_late(struct loop_io *io, int res)
{
	settle_run(container_of(io, struct settle_waiter, late));
}

bool settle_goes_on(const struct inode *inode)
{
	return inode->settling && clock_nsec() < inode->settles + SETTLE_NSEC;
}

void settle_wait(struct context *ctx, struct inode *inode, struct settle_waiter *w)
{
	uint64_t now = clock_nsec(), until = inode->settles + SETTLE_NSEC;

	LIST_INSERT_HEAD(&inode->waiters, w, entry);
	loop_io_init(&w->late, ctx->loop, settle_late);
	loop_io_timer(&w->late, until > now ? until - now : 0);
}
