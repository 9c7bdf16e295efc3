/*
 * A worker publishes the turn of its loop (loop_turn()), and nothing else: to see it in the same one twice costs it nothing.
 * What is in a turn for long may be slow, on a machine that has a lot to do; what stands is not running, either.
 */
#include "watchdog.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"
#include "engine.h"
#include "job.h"

/* Whether the thread waits in the kernel: proc_pid_stat(5). */
static bool watchdog_sleeps(pid_t tid)
{
	char name[64], line[256] = "";
	const char *state;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/self/task/%d/stat", tid);
	file = fopen(name, "re");
	if (!file)
		return false;
	state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return state && (state[2] == 'D' || state[2] == 'S');
}

static void watchdog_look_at(struct context *ctx, struct worker *w)
{
	unsigned long turn = loop_turn(w->loop);
	bool same = turn % 2 && turn == w->seen_turn;

	w->seen_turn = turn;
	w->seen_ticks = same ? w->seen_ticks + 1 : 0;
	if (w->stands == (w->seen_ticks >= WATCHDOG_STANDS_TICKS))
		return;
	if (!w->stands && !watchdog_sleeps(loop_thread(w->loop)))
		return;
	w->stands = !w->stands;
	if (ctx->stands)
		ctx->stands(ctx, w);
}

/* Who waits for what does not come is told, one after the other: they may do anything. */
static void watchdog_tell_late(struct context *ctx)
{
	LIST_HEAD(, job) looked = LIST_HEAD_INITIALIZER(looked);
	uint64_t now = clock_nsec();
	struct job *job;

	while ((job = LIST_FIRST(&ctx->patient))) {
		LIST_REMOVE(job, waiting);
		LIST_INSERT_HEAD(&looked, job, waiting);
		if (job_is_due(job, now))
			job_tell_late(job);
	}
	while ((job = LIST_FIRST(&looked))) {
		LIST_REMOVE(job, waiting);
		LIST_INSERT_HEAD(&ctx->patient, job, waiting);
	}
}

static void watchdog_tick(struct loop_io *io, int res)
{
	struct context *ctx = container_of(io, struct context, watchdog);
	struct worker *w = NULL;
	bool more = ctx->leaving;

	while ((w = engine_next(ctx->engine, w))) {
		watchdog_look_at(ctx, w);
		more |= w->channels > 0;
	}
	watchdog_tell_late(ctx);
	more |= deferred_close_again();
	if (!ctx->leaving)
		more |= engine_rest(ctx->engine, clock_nsec());
	if (more || !LIST_EMPTY(&ctx->patient))
		watchdog_start(ctx);
}

void watchdog_start(struct context *ctx)
{
	if (!ctx->watchdog.loop)
		loop_io_init(&ctx->watchdog, ctx->loop, watchdog_tick);
	loop_io_timer(&ctx->watchdog, WATCHDOG_TICK_NSEC);
}
