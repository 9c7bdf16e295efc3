/*
 * The FUSE thread chooses the channels, in turns (channel-list.h); each worker makes the reports of its own, which are its
 * *share* (collector-share.c); the helper makes the text, and frees what that was made of. Where a worker is late, the text is
 * made without its share. At the end of the daemon (ctx->leaving) nothing further is posted to other threads, and whoever waits
 * is told so by what comes back.
 */
#include "collector-parts.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

/* So many channels are told with some 4 KiB each; what is free of it then goes back to the system. */
#define COLLECTOR_TRIM 1000

static void collector_next(struct collector *c);

static void collector_finish_waiters(struct collector_waiters *list, int err)
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
	bool large = c->list.count >= COLLECTOR_TRIM;
	struct collector_waiter *w;

	channel_list_finish(&c->list);
	TAILQ_FOREACH(w, &c->served, entry) {
		w->text = stats ? w->make(stats) : NULL;
		w->err = w->text ? 0 : -ENOMEM;
	}
	json_decref(stats);
	if (large)
		malloc_trim(0);
}

static void collector_text_made(struct job *job)
{
	struct collector *c = container_of(job, struct collector, job);

	collector_end(c, c->err);
}

void collector_reported(struct collector *c)
{
	struct context *ctx = c->ctx;

	if (--c->pending)
		return;
	if (ctx->leaving)
		collector_end(c, -ENOTCONN);
	else
		job_post(ctx, ctx->helper, &c->job, collector_work_text, collector_text_made);
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
		c->err = collector_share_add(c, e);
	return c->err == 0 ? (unsigned)things : 0;
}

static void collector_chosen(struct turns *t)
{
	struct collector *c = container_of(t, struct collector, choosing);

	channel_list_end(&c->list);
	if (c->ctx->leaving)
		c->err = -ENOTCONN;
	collector_share_begin_all(c);
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
