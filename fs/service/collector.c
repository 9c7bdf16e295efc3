/*
 * The FUSE thread chooses the channels (channel-list.h); each worker makes the reports of its own, which are its *share*;
 * the helper makes the text. A share has the holds on its channels, so it may be left behind: where its worker is late, the
 * text is made without it. At the end of the daemon (ctx->leaving) nothing further is posted anywhere, and whoever waits
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

struct share_channel {
	struct hold hold;
	size_t index; /* in the list */
	struct report *report;
};

struct share {
	struct job job;
	struct collector *collector; /* NULL: it was late, and nobody waits for it */
	struct worker *worker;
	size_t count;
	size_t at; /* those before are done; the worker's while the job is under way */
	struct share_channel channels[];
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

static void share_work(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);

	for (unsigned n = 0; sh->at < sh->count && n < TURN_REPORTS; n++, sh->at++)
		sh->channels[sh->at].report = report_create(hold_channel(&sh->channels[sh->at].hold));
}

static void share_free(struct share *sh)
{
	for (size_t i = 0; i < sh->count; i++) {
		hold_drop(&sh->channels[i].hold);
		report_free(sh->channels[i].report);
	}
	free(sh);
}

/* ... which is through. Returns 0 or -ENOMEM. */
static int share_give(struct share *sh, struct channel_list *list)
{
	int err = 0;

	for (size_t i = 0; i < sh->at; i++) {
		struct share_channel *ch = &sh->channels[i];

		err = ch->report ? err : -ENOMEM;
		list->entries[ch->index].stats.report = ch->report;
		ch->report = NULL;
	}
	return err;
}

static void collector_reported(struct collector *c)
{
	struct context *ctx = c->ctx;

	if (--c->pending)
		return;
	if (ctx->leaving)
		collector_end(c, -ENOTCONN);
	else if (c->err < 0)
		collector_end(c, c->err);
	else
		job_post(ctx, ctx->helper, &c->job, collector_work_text, collector_text_made);
}

static void share_late(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct collector *c = sh->collector;

	sh->collector = NULL;
	collector_reported(c);
}

static void share_post(struct share *sh);

static void share_done(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct collector *c = sh->collector;

	if (c && sh->at < sh->count && !c->ctx->leaving) {
		share_post(sh);
		return;
	}
	if (c && share_give(sh, &c->list) < 0)
		c->err = -ENOMEM;
	share_free(sh);
	if (c)
		collector_reported(c);
}

static void share_post(struct share *sh)
{
	job_post(sh->collector->ctx, sh->worker->loop, &sh->job, share_work, share_done);
	sh->job.worker = sh->worker;
	job_patient(&sh->job, share_late);
}

/* Makes the worker's share, for all of its channels, where it can be asked. Returns 0 or -ENOMEM. */
static int share_create(struct collector *c, struct worker *w)
{
	struct share *sh = NULL;

	if (w->channels && !w->stands) {
		sh = calloc(1, sizeof(*sh) + w->channels * sizeof(sh->channels[0]));
		if (!sh)
			return -ENOMEM;
		sh->collector = c;
		sh->worker = w;
	}
	w->visit = sh;
	return 0;
}

/* Takes the holds of the list, but for channels whose worker cannot be asked. */
static void collector_share_out(struct channel_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct channel_list_entry *e = &list->entries[i];
		struct share *sh = e->channel ? e->channel->worker->visit : NULL;

		if (!sh)
			continue;
		sh->channels[sh->count++] = (struct share_channel){ .hold = e->hold, .index = i };
		e->hold = (struct hold){ 0 };
	}
}

static void collector_ask_workers(struct collector *c)
{
	struct engine *engine = c->ctx->engine;
	struct worker *w = NULL;

	while ((w = engine_next(engine, w)))
		if (share_create(c, w) < 0)
			c->err = -ENOMEM;
	if (c->err == 0)
		collector_share_out(&c->list);
	while ((w = engine_next(engine, w))) {
		struct share *sh = w->visit;

		w->visit = NULL;
		if (sh && sh->count) {
			c->pending++;
			share_post(sh);
		} else {
			free(sh);
		}
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
	c->pending = 1;
	c->err = channel_list_take(&c->list, c->ctx, r, ++c->number);
	if (c->err == 0)
		collector_ask_workers(c);
	channel_list_release(&c->list);
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
