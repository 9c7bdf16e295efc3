/*
 * The FUSE thread chooses the channels, in turns (channel-list.h); each worker makes the reports of its own, which are its
 * *share*; the helper makes the text, and frees what that was made of. A share has the holds on its channels, so it may be
 * left behind: where its worker is late, the text is made without it. At the end of the daemon (ctx->leaving) nothing
 * further is posted to other threads, and whoever waits is told so by what comes back.
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
#include "turns.h"

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
	struct turns giving;
	struct collector *collector; /* NULL: it was late, and nobody waits for it */
	struct worker *worker;
	UT_hash_handle by_worker;
	uint64_t until;
	size_t count, room;
	size_t at;    /* those before are done; the worker's while the job is under way */
	size_t given; /* those before are given to the list */
	struct share_channel *channels;
};

struct collector {
	struct context *ctx;
	struct job job;
	struct descriptor_scan_waiter scan;
	struct turns choosing;
	bool running;
	struct waiters queue;
	struct waiters served; /* for whom it is taken */
	int err;
	uint64_t number;

	struct channel_list list;
	struct share *shares; /* while they are made */
	size_t pending;       /* shares, and who makes them */
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
	channel_list_finish(&c->list); /* (it is, but at the end of the daemon) */
	c->running = false;
	collector_finish_waiters(&c->served, err);
	collector_next(c);
}

/* ---- the text, on the helper ---- */

static void collector_work_text(struct job *job)
{
	struct collector *c = container_of(job, struct collector, job);
	json_t *stats = c->err == 0 ? channel_list_json(&c->list, c->ctx->mountpoint) : NULL;
	struct collector_waiter *w;

	channel_list_finish(&c->list);
	TAILQ_FOREACH(w, &c->served, entry) {
		w->text = stats ? w->make(stats) : NULL;
		w->err = w->text ? 0 : -ENOMEM;
	}
	json_decref(stats);
}

static void collector_text_made(struct job *job)
{
	struct collector *c = container_of(job, struct collector, job);

	collector_end(c, c->err);
}

/* ---- the reports, on the workers ---- */

static void share_work(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);

	for (unsigned n = 0; sh->at < sh->count && n < TURN_REPORTS; n++, sh->at++)
		sh->channels[sh->at].report = report_create(hold_channel(&sh->channels[sh->at].hold));
}

static void collector_reported(struct collector *c)
{
	struct context *ctx = c->ctx;

	if (--c->pending)
		return;
	if (ctx->leaving)
		collector_end(c, -ENOTCONN);
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

/* What it has goes to the list, if somebody waits for it, or away. */
static unsigned share_give(struct turns *t)
{
	struct share *sh = container_of(t, struct share, giving);
	struct collector *c = sh->collector;
	struct share_channel *ch = &sh->channels[sh->given];

	if (sh->given == sh->count)
		return 0;
	if (c && sh->given < sh->at) {
		if (!ch->report)
			c->err = -ENOMEM;
		c->list.entries[ch->index].stats.report = ch->report;
		ch->report = NULL;
	}
	report_free(ch->report);
	hold_drop(&ch->hold);
	sh->given++;
	return 1;
}

static void share_given(struct turns *t)
{
	struct share *sh = container_of(t, struct share, giving);
	struct collector *c = sh->collector;

	free(sh->channels);
	free(sh);
	if (c)
		collector_reported(c);
}

static void share_end(struct share *sh)
{
	sh->giving = (struct turns){ .loop = sh->channels[0].hold.ctx->loop, .step = share_give, .done = share_given };
	turns_start(&sh->giving);
}

static void share_post(struct share *sh);

static void share_done(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct collector *c = sh->collector;

	if (c && sh->at < sh->count && !c->ctx->leaving)
		share_post(sh);
	else
		share_end(sh);
}

static void share_post(struct share *sh)
{
	job_post(sh->collector->ctx, sh->worker->loop, &sh->job, share_work, share_done);
	sh->job.worker = sh->worker;
	job_patient(&sh->job, sh->until, share_late);
}

/* The share of the channel's worker, which the hold keeps there. NULL: out of memory. */
static struct share *share_of(struct collector *c, struct worker *w)
{
	struct share *sh;

	HASH_FIND(by_worker, c->shares, &w, sizeof(w), sh);
	if (sh)
		return sh;
	sh = calloc(1, sizeof(*sh));
	if (!sh)
		return NULL;
	sh->collector = c;
	sh->worker = w;
	HASH_ADD(by_worker, c->shares, worker, sizeof(sh->worker), sh);
	if (!sh->by_worker.tbl) {
		free(sh);
		return NULL;
	}
	return sh;
}

/* Takes the entry's hold. Returns 0 or -ENOMEM. */
static int share_add(struct collector *c, struct channel_list_entry *e)
{
	struct share *sh = share_of(c, e->channel->worker);

	if (sh && sh->count == sh->room) {
		size_t room = sh->room ? 2 * sh->room : 16;
		struct share_channel *channels = realloc(sh->channels, room * sizeof(*channels));

		if (channels) {
			sh->channels = channels;
			sh->room = room;
		}
	}
	if (!sh || sh->count == sh->room) {
		hold_drop(&e->hold);
		return -ENOMEM;
	}
	sh->channels[sh->count++] = (struct share_channel){ .hold = e->hold, .index = (size_t)(e - c->list.entries) };
	e->hold = (struct hold){ 0 };
	return 0;
}

/* ---- which channels, on the FUSE thread ---- */

static unsigned collector_choose(struct turns *t)
{
	struct collector *c = container_of(t, struct collector, choosing);
	struct channel_list_entry *e = NULL;
	int things = c->err == 0 ? channel_list_step(&c->list, &e) : 0;

	if (things < 0)
		c->err = things;
	else if (e && e->hold.inode)
		c->err = share_add(c, e);
	return c->err == 0 ? (unsigned)things : 0;
}

static void collector_chosen(struct turns *t)
{
	struct collector *c = container_of(t, struct collector, choosing);
	struct share *sh, *next;

	channel_list_end(&c->list);
	if (c->ctx->leaving)
		c->err = -ENOTCONN;
	HASH_ITER(by_worker, c->shares, sh, next) {
		HASH_DELETE(by_worker, c->shares, sh);
		if (!sh->count) { /* for want of memory */
			free(sh);
			continue;
		}
		c->pending++;
		sh->until = job_deadline();
		if (c->err < 0)
			share_end(sh);
		else
			share_post(sh);
	}
	collector_reported(c);
}

static void collector_scanned(struct descriptor_scan_waiter *w)
{
	struct collector *c = container_of(w, struct collector, scan);
	struct context *ctx = c->ctx;

	if (ctx->leaving) {
		collector_end(c, -ENOTCONN);
		return;
	}
	c->pending = 1;
	c->err = channel_list_begin(&c->list, ctx, &TAILQ_FIRST(&c->served)->rights, ++c->number);
	c->choosing = (struct turns){ .loop = ctx->loop, .step = collector_choose, .done = collector_chosen };
	turns_start(&c->choosing);
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
