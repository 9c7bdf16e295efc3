/*
 * The share of a worker in what a collector gathers: the reports of its own channels, which it has holds on. It is posted again
 * and again, with TURN_REPORTS at most each time, and given to the collector's list in turns on the FUSE thread. Where its worker
 * is late it is left behind: then it has no collector any more, and all that it has goes away with it.
 */
#include "collector-parts.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "channel.h"
#include "report.h"
#include "worker.h"

/* Reports that a worker makes before others have a turn. */
#define TURN_REPORTS 128

struct collector_share_channel {
	struct hold hold;
	size_t index; /* in the list */
	struct report *report;
};

struct collector_share {
	struct job job;
	struct turns giving;
	struct collector *collector; /* NULL: it was late, and nobody waits for it */
	struct worker *worker;
	UT_hash_handle by_worker;
	uint64_t until;
	size_t count, room;
	size_t at;    /* those before are done; the worker's while the job is under way */
	size_t given; /* those before are given to the list */
	struct collector_share_channel *channels;
};

static void collector_share_work(struct job *job)
{
	struct collector_share *sh = container_of(job, struct collector_share, job);

	for (unsigned n = 0; sh->at < sh->count && n < TURN_REPORTS; n++, sh->at++)
		sh->channels[sh->at].report = report_create(hold_channel(&sh->channels[sh->at].hold));
}

static void collector_share_late(struct job *job)
{
	struct collector_share *sh = container_of(job, struct collector_share, job);
	struct collector *c = sh->collector;

	sh->collector = NULL;
	collector_reported(c);
}

/* What it has goes to the list, if somebody waits for it, or away. */
static unsigned collector_share_give(struct turns *t)
{
	struct collector_share *sh = container_of(t, struct collector_share, giving);
	struct collector *c = sh->collector;
	struct collector_share_channel *ch = &sh->channels[sh->given];

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

static void collector_share_given(struct turns *t)
{
	struct collector_share *sh = container_of(t, struct collector_share, giving);
	struct collector *c = sh->collector;

	free(sh->channels);
	free(sh);
	if (c)
		collector_reported(c);
}

static void collector_share_end(struct collector_share *sh)
{
	sh->giving = (struct turns){ .loop = sh->channels[0].hold.ctx->loop,
				     .step = collector_share_give,
				     .done = collector_share_given };
	turns_start(&sh->giving);
}

static void collector_share_post(struct collector_share *sh);

static void collector_share_done(struct job *job)
{
	struct collector_share *sh = container_of(job, struct collector_share, job);
	struct collector *c = sh->collector;

	if (c && sh->at < sh->count && !c->ctx->leaving)
		collector_share_post(sh);
	else
		collector_share_end(sh);
}

static void collector_share_post(struct collector_share *sh)
{
	job_post(sh->collector->ctx, sh->worker->loop, &sh->job, collector_share_work, collector_share_done);
	sh->job.worker = sh->worker;
	job_patient(&sh->job, sh->until, collector_share_late);
}

/* The share of the channel's worker, which the hold keeps there. NULL: out of memory. */
static struct collector_share *collector_share_of(struct collector *c, struct worker *w)
{
	struct collector_share *sh;

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

int collector_share_add(struct collector *c, struct channel_list_entry *e)
{
	struct collector_share *sh = collector_share_of(c, e->channel->worker);

	if (sh && sh->count == sh->room) {
		size_t room = sh->room ? 2 * sh->room : 16;
		struct collector_share_channel *channels = realloc(sh->channels, room * sizeof(*channels));

		if (channels) {
			sh->channels = channels;
			sh->room = room;
		}
	}
	if (!sh || sh->count == sh->room) {
		hold_drop(&e->hold);
		return -ENOMEM;
	}
	sh->channels[sh->count++] = (struct collector_share_channel){ .hold = e->hold,
								      .index = (size_t)(e - c->list.entries) };
	e->hold = (struct hold){ 0 };
	return 0;
}

void collector_share_begin_all(struct collector *c)
{
	struct collector_share *sh, *next;

	HASH_ITER(by_worker, c->shares, sh, next) {
		HASH_DELETE(by_worker, c->shares, sh);
		if (!sh->count) { /* for want of memory */
			free(sh);
			continue;
		}
		c->pending++;
		sh->until = job_deadline();
		if (c->err < 0)
			collector_share_end(sh);
		else
			collector_share_post(sh);
	}
}
