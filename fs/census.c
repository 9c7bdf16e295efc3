/*
 * The FUSE thread chooses the channels and keeps their objects meanwhile (roll.h); the workers add the reports; the
 * helper makes the text. At the end of the daemon (server.left) nothing further is posted anywhere, and whoever waits
 * is told so by what comes back.
 */
#include "census.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "engine.h"
#include "report.h"
#include "roll.h"
#include "server.h"

/* Reports that a worker makes before others have a turn. */
#define TURN_REPORTS 128

TAILQ_HEAD(waiters, census_waiter);

/* A worker's part. */
struct share {
	struct job job;
	struct census *census;
	struct worker *worker;
	size_t at; /* entries before are done */
};

struct census {
	struct server *server;
	struct job job;
	struct survey_waiter survey;
	bool running;
	struct waiters queue;
	struct waiters served; /* for whom it is taken */
	int err;
	uint64_t number;

	struct roll roll;
	struct share *shares;
	size_t pending; /* shares */
};

static void next(struct census *c);

static void finish_waiters(struct waiters *list, int err)
{
	struct census_waiter *w;

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
static void end(struct census *c, int err)
{
	roll_finish(&c->roll);
	free(c->shares);
	c->shares = NULL;
	c->running = false;
	finish_waiters(&c->served, err);
	next(c);
}

/* ---- the text, on the helper ---- */

static void work_text(struct job *job)
{
	struct census *c = container_of(job, struct census, job);
	json_t *stats = roll_json(&c->roll, c->server->mountpoint);
	struct census_waiter *w;

	TAILQ_FOREACH(w, &c->served, entry) {
		w->text = stats ? w->make(stats) : NULL;
		w->err = w->text ? 0 : -ENOMEM;
	}
	json_decref(stats);
}

static void finish_text(struct job *job)
{
	end(container_of(job, struct census, job), 0);
}

/* ---- the reports, on the workers ---- */

static void work_share(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct census *c = sh->census;

	for (unsigned n = 0; sh->at < c->roll.count && n < TURN_REPORTS; sh->at++) {
		struct roll_entry *e = &c->roll.entries[sh->at];

		if (!e->channel || e->channel->worker != sh->worker)
			continue;
		e->tally.report = report_create(e->channel);
		n++;
	}
}

static void reported(struct census *c)
{
	struct server *s = c->server;

	for (size_t i = 0; i < c->roll.count; i++)
		if (c->roll.entries[i].channel && !c->roll.entries[i].tally.report)
			c->err = -ENOMEM;
	roll_release(&c->roll, s);
	if (s->left)
		end(c, -ENOTCONN);
	else if (c->err < 0)
		end(c, c->err);
	else
		job_post(s, s->helper, &c->job, work_text, finish_text);
}

static void finish_share(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct census *c = sh->census;

	if (sh->at < c->roll.count && !c->server->left)
		job_post(c->server, sh->worker->loop, job, work_share, finish_share);
	else if (--c->pending == 0)
		reported(c);
}

static void ask_workers(struct census *c)
{
	struct worker *w;

	c->pending = c->roll.workers;
	c->shares = calloc(c->pending, sizeof(*c->shares));
	if (!c->shares) {
		c->err = -ENOMEM;
		reported(c);
		return;
	}
	for (size_t i = 0; (w = engine_worker(c->server->engine, (unsigned)i)); i++) {
		c->shares[i] = (struct share){ .census = c, .worker = w };
		job_post(c->server, w->loop, &c->shares[i].job, work_share, finish_share);
	}
}

/* ---- which channels, on the FUSE thread ---- */

static void surveyed(struct survey_waiter *w)
{
	struct census *c = container_of(w, struct census, survey);
	const struct rights *r = &TAILQ_FIRST(&c->served)->rights;

	if (c->server->left) {
		end(c, -ENOTCONN);
		return;
	}
	c->err = roll_take(&c->roll, c->server, r, ++c->number);
	if (c->err == 0)
		ask_workers(c);
	else
		reported(c);
}

/* ---- who waits ---- */

static bool same_rights(const struct rights *a, const struct rights *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->count == b->count &&
	       (!a->count || !memcmp(a->groups, b->groups, a->count * sizeof(a->groups[0])));
}

static void next(struct census *c)
{
	struct census_waiter *first = TAILQ_FIRST(&c->queue), *w, *after;

	if (c->running || !first)
		return;
	if (c->server->left) {
		finish_waiters(&c->queue, -ENOTCONN);
		return;
	}
	c->running = true;
	for (w = first; w; w = after) {
		after = TAILQ_NEXT(w, entry);
		if (same_rights(&w->rights, &first->rights)) {
			TAILQ_REMOVE(&c->queue, w, entry);
			TAILQ_INSERT_TAIL(&c->served, w, entry);
		}
	}
	c->survey.done = surveyed;
	survey_want(c->server->survey, &c->survey);
}

void census_want(struct census *c, struct census_waiter *w)
{
	TAILQ_INSERT_TAIL(&c->queue, w, entry);
	next(c);
}

int census_create(struct census **out, struct server *s)
{
	struct census *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->server = s;
	TAILQ_INIT(&c->queue);
	TAILQ_INIT(&c->served);
	*out = c;
	return 0;
}

void census_destroy(struct census *c)
{
	free(c);
}
