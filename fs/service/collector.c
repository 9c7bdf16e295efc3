/*
 * The FUSE thread chooses the channels and keeps their objects meanwhile (channel-list.h); the workers add the reports; the
 * helper makes the text. At the end of the daemon (ctx->leaving) nothing further is posted anywhere, and whoever waits
 * is told so by what comes back.
 */
#include "collector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "engine.h"
#include "report.h"
#include "channel-list.h"
#include "services.h"

/* Reports that a worker makes before others have a turn. */
#define TURN_REPORTS 128

TAILQ_HEAD(waiters, collector_waiter);

/* A worker's part. */
struct share {
	struct job job;
	struct collector *collector;
	struct worker *worker;
	size_t at; /* entries before are done */
};

struct collector {
	struct context *ctx;
	struct job job;
	struct descriptor_scan_waiter scan;
	bool running;
	struct waiters queue;
	struct waiters served; /* for whom it is taken */
	int err;
	uint64_t number;

	struct channel_list list;
	struct share *shares;
	size_t pending; /* shares */
};

static void collector_next(struct collector *c);

static void collector_finish_waiters(struct waiters *list, int err)
{
	struct collector_waiter *w;

	while ((w = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, w, entry);
		if (err < 0) {
			free(w->text);
			w->text = NULL;
			w->err = err;
		}
		w->done(w);
	}
}

/* On the FUSE thread, however it went. */
static void collector_end(struct collector *c, int err)
{
	channel_list_finish(&c->list);
	free(c->shares);
	c->shares = NULL;
	c->running = false;
	collector_finish_waiters(&c->served, err);
	collector_next(c);
}

/* ---- the text, on the helper ---- */

static void collector_work_text(struct job *job)
{
	struct collector *c = container_of(job, struct collector, job);
	json_t *stats = channel_list_json(&c->list, c->ctx->mountpoint);
	struct collector_waiter *w;

	TAILQ_FOREACH(w, &c->served, entry) {
		w->text = stats ? w->make(stats) : NULL;
		w->err = w->text ? 0 : -ENOMEM;
	}
	json_decref(stats);
}

static void collector_text_made(struct job *job)
{
	collector_end(container_of(job, struct collector, job), 0);
}

/* ---- the reports, on the workers ---- */

static void collector_work_share(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct collector *c = sh->collector;

	for (unsigned n = 0; sh->at < c->list.count && n < TURN_REPORTS; sh->at++) {
		struct channel_list_entry *e = &c->list.entries[sh->at];

		if (!e->channel || e->channel->worker != sh->worker)
			continue;
		e->stats.report = report_create(e->channel);
		n++;
	}
}

static void collector_reported(struct collector *c)
{
	struct context *ctx = c->ctx;

	for (size_t i = 0; i < c->list.count; i++)
		if (c->list.entries[i].channel && !c->list.entries[i].stats.report)
			c->err = -ENOMEM;
	channel_list_release(&c->list);
	if (ctx->leaving)
		collector_end(c, -ENOTCONN);
	else if (c->err < 0)
		collector_end(c, c->err);
	else
		job_post(ctx, ctx->helper, &c->job, collector_work_text, collector_text_made);
}

static void collector_share_done(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct collector *c = sh->collector;

	if (sh->at < c->list.count && !c->ctx->leaving)
		job_post(c->ctx, sh->worker->loop, job, collector_work_share, collector_share_done);
	else if (--c->pending == 0)
		collector_reported(c);
}

static void collector_ask_workers(struct collector *c)
{
	struct worker *w;

	c->pending = c->list.workers;
	c->shares = calloc(c->pending, sizeof(*c->shares));
	if (!c->shares) {
		c->err = -ENOMEM;
		collector_reported(c);
		return;
	}
	for (size_t i = 0; (w = engine_worker(c->ctx->engine, (unsigned)i)); i++) {
		c->shares[i] = (struct share){ .collector = c, .worker = w };
		job_post(c->ctx, w->loop, &c->shares[i].job, collector_work_share, collector_share_done);
	}
}

/* ---- which channels, on the FUSE thread ---- */

static void collector_scanned(struct descriptor_scan_waiter *w)
{
	struct collector *c = container_of(w, struct collector, scan);
	const struct rights *r = &TAILQ_FIRST(&c->served)->rights;

	if (c->ctx->leaving) {
		collector_end(c, -ENOTCONN);
		return;
	}
	c->err = channel_list_take(&c->list, c->ctx, r, ++c->number);
	if (c->err == 0)
		collector_ask_workers(c);
	else
		collector_reported(c);
}

/* ---- who waits ---- */

static bool collector_same_rights(const struct rights *a, const struct rights *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->caps == b->caps && a->count == b->count &&
	       (!a->count || !memcmp(a->groups, b->groups, a->count * sizeof(a->groups[0])));
}

static void collector_next(struct collector *c)
{
	struct collector_waiter *first = TAILQ_FIRST(&c->queue), *w, *after;

	if (c->running || !first)
		return;
	if (c->ctx->leaving) {
		collector_finish_waiters(&c->queue, -ENOTCONN);
		return;
	}
	c->running = true;
	for (w = first; w; w = after) {
		after = TAILQ_NEXT(w, entry);
		if (collector_same_rights(&w->rights, &first->rights)) {
			TAILQ_REMOVE(&c->queue, w, entry);
			TAILQ_INSERT_TAIL(&c->served, w, entry);
		}
	}
	c->scan.done = collector_scanned;
	descriptor_scan_want(c->ctx->services->scan, &c->scan);
}

void collector_want(struct collector *c, struct collector_waiter *w)
{
	TAILQ_INSERT_TAIL(&c->queue, w, entry);
	collector_next(c);
}

int collector_create(struct collector **out, struct context *ctx)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->ctx = ctx;
	TAILQ_INIT(&c->queue);
	TAILQ_INIT(&c->served);
	*out = c;
	return 0;
}

void collector_destroy(struct collector *c)
{
	free(c);
}
