/*
 * The order of the end: the mount goes, so that nobody new comes; what is under way is given up, while requests are still
 * served, for a worker may be waiting for a look-up of its own; once no channel is held any more, all of them go
 * (hold.h); then a last job goes to each thread, and whatever was on its way is home after it; then the loop stops.
 *
 * A worker that stands (watchdog.h) comes home no more. So after LEAVE_NSEC, once all others have nothing left, or
 * LEAVE_LONG_NSEC, the rest is left behind (abandon.h). Threads that go on until then may post what nobody does any more.
 */
#include "server-parts.h"

#include <stdlib.h>
#include <unistd.h>

#include "abandon.h"
#include "base.h"
#include "clock.h"
#include "config.h"
#include "control.h"
#include "engine.h"
#include "hold.h"
#include "log.h"
#include "operations.h"
#include "programs.h"
#include "services.h"
#include "standing.h"
#include "watchdog.h"

#define LEAVE_LOOK_NSEC (NSEC_PER_SEC / 10)
#define LEAVE_NSEC (2 * NSEC_PER_SEC)
#define LEAVE_LONG_NSEC (10 * NSEC_PER_SEC)

/* Other workers get so long to end. */
#define OTHERS_NSEC (NSEC_PER_SEC / 2)

struct last_job {
	struct job job;
	struct server *server;
};

/* Nothing is left but workers that left before: they are joined once they have ended, or left behind where they stand. */
static void server_stop(struct server *s)
{
	s->through = true;
	if (!engine_has_leaving(s->ctx.engine))
		loop_stop(s->ctx.loop);
}

static void server_work_last(struct job *job)
{
}

static void server_thread_through(struct job *job)
{
	struct server *s = container_of(job, struct last_job, job)->server;

	if (--s->threads == 0)
		server_stop(s);
}

static void server_post_last(struct server *s, struct loop *thread)
{
	struct last_job *j = &s->last[s->threads++];

	j->server = s;
	job_post(&s->ctx, thread, &j->job, server_work_last, server_thread_through);
}

/* Out of memory it is tried again with the next look (server_impatient()). */
static void server_let_go(struct context *ctx)
{
	struct server *s = server_of(ctx);
	struct worker *w = NULL;
	size_t threads = 1;

	while ((w = engine_next(ctx->engine, w)))
		threads += !w->leaving;
	s->holds_none = true;
	s->last = calloc(threads, sizeof(*s->last));
	if (!s->last)
		return;
	server_post_last(s, ctx->helper);
	while ((w = engine_next(ctx->engine, w)))
		if (!w->leaving)
			server_post_last(s, w->loop);
}

/* ---- where a worker stands ---- */

/* Whether all that is left is what such workers have. */
static bool server_waits_in_vain(struct server *s)
{
	uint64_t since = clock_nsec() - s->left;
	struct worker *w = NULL;
	bool stands = false, busy = false;

	while ((w = engine_next(s->ctx.engine, w))) {
		stands |= w->stands;
		busy |= !w->stands && w->channels;
	}
	return stands && since >= (busy ? LEAVE_LONG_NSEC : LEAVE_NSEC);
}

static void server_impatient(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, patience);

	if (s->holds_none && !s->last)
		server_let_go(&s->ctx);
	s->abandons = server_waits_in_vain(s);
	if (s->abandons)
		loop_quit(s->ctx.loop);
	else if (s->through)
		server_stop(s);
	if (!s->abandons)
		loop_io_timer(io, LEAVE_LOOK_NSEC);
}

void server_abandon(struct server *s)
{
	int fd = fuse_session_fd(s->ctx.session);

	standing_log(&s->ctx);
	log_err("leaving it behind: process %d is there, and dead, until that is over", getpid());
	loop_abandon(s->ctx.loop); /* it waits for what comes from /dev/fuse, and would keep the connection */
	fd_close(&fd);
	loop_stop(s->ctx.helper);
	pthread_join(s->helper_thread, NULL);
	engine_abandon(s->ctx.engine, OTHERS_NSEC);
	programs_end();
	log_end(); /* (with its descriptors) */
	abandon_descriptors();
	_exit(EXIT_FAILURE);
}

/* ---- the order ---- */

void server_leave(struct server *s)
{
	struct context *ctx = &s->ctx;

	if (ctx->leaving)
		return;
	ctx->leaving = true;
	s->left = clock_nsec();
	loop_io_init(&s->patience, ctx->loop, server_impatient);
	loop_io_timer(&s->patience, LEAVE_LOOK_NSEC);
	watchdog_start(ctx);
	mount_leave(&s->mount);
	gate_open(&s->gate);
	control_leave(ctx);
	services_leave(ctx);
	operations_leave(ctx);
	hold_leave(ctx, server_let_go);
}

void server_finish(struct server *s)
{
	struct context *ctx = &s->ctx;

	engine_destroy(ctx->engine);
	if (s->helping) {
		loop_stop(ctx->helper);
		pthread_join(s->helper_thread, NULL);
	}
	loop_destroy(ctx->helper);
	services_destroy(ctx);
	operations_destroy(ctx);
	fd_close(&s->dir);
	mount_finish(&s->mount);
	gate_finish(&s->gate);
	if (ctx->session)
		fuse_session_destroy(ctx->session);
	scout_finish(&s->scout); /* (nobody answers it any more: it ends only now that the connection has) */
	loop_destroy(ctx->loop);
	node_table_finish(&ctx->nodes);
	control_destroy(ctx);
	accounts_finish(&ctx->accounts);
	free(s->last);
	config_unref(ctx->config);
	fd_close(&s->signals);
	if (s->ready >= 0)
		log_copy_to(-1); /* (else copies go to standard error, until the last line) */
	fd_close(&s->ready);
	free(s->buf.mem);
	free(ctx->mountpoint);
}
