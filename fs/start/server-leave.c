/*
 * The order of the end: the mount goes, so that nobody new comes; what is under way is given up, while requests are still
 * served, for a worker may be waiting for a look-up of its own; once no channel is held any more, all of them go
 * (hold.h); then a last job goes to each thread, and whatever was on its way is home after it; then the loop stops.
 */
#include "server-parts.h"

#include <stdlib.h>

#include "base.h"
#include "config.h"
#include "control.h"
#include "engine.h"
#include "hold.h"
#include "log.h"
#include "operations.h"
#include "services.h"

struct last_job {
	struct job job;
	struct server *server;
};

static void server_work_last(struct job *job)
{
}

static void server_thread_through(struct job *job)
{
	struct last_job *j = container_of(job, struct last_job, job);
	struct server *s = j->server;

	free(j);
	if (--s->threads == 0)
		loop_stop(s->ctx.loop);
}

static void server_post_last(struct server *s, struct loop *thread)
{
	struct last_job *j = calloc(1, sizeof(*j));

	if (!j)
		abort(); /* nobody could wait for what is on its way */
	j->server = s;
	s->threads++;
	job_post(&s->ctx, thread, &j->job, server_work_last, server_thread_through);
}

static void server_let_go(struct context *ctx)
{
	struct server *s = server_of(ctx);
	struct worker *w;

	server_post_last(s, ctx->helper);
	for (unsigned i = 0; ctx->engine && (w = engine_worker(ctx->engine, i)); i++)
		server_post_last(s, w->loop);
}

void server_leave(struct server *s)
{
	struct context *ctx = &s->ctx;

	if (ctx->leaving)
		return;
	ctx->leaving = true;
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
	config_unref(ctx->config);
	fd_close(&s->signals);
	fd_close(&s->ready);
	free(s->buf.mem);
	free(ctx->mountpoint);
}
