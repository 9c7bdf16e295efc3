/*
 * A worker that has nothing to do is stopped, and is on the list, leaving, until its thread has ended: that may take a
 * while, where a closing that it has begun is awaited, or for ever, where it has just begun to stand. Nothing is posted to
 * it from then on.
 */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "log.h"

/* A line about users that share workers comes this often. */
#define SAY_NSEC (60 * NSEC_PER_SEC)

struct engine {
	unsigned each; /* for each sort of a user's channels */
	int dir;
	int null;
	struct engine_events events;
	TAILQ_HEAD(, worker) workers;
	unsigned count; /* of those that are somebody's alone, but for the daemon's own user */
	bool reserved;
	uint64_t said;
};

static bool engine_is_own(uid_t uid)
{
	return uid == geteuid();
}

/* Makes one of its kind. */
static int engine_hire(struct engine *e, uid_t uid, enum worker_reach reach, bool shared, struct worker **out)
{
	int err = worker_create(out, e->dir, e->null, &e->events);
	struct worker *w = *out;

	if (err < 0)
		return err;
	w->uid = uid;
	w->reach = reach;
	w->shared = shared;
	TAILQ_INSERT_TAIL(&e->workers, w, entry);
	e->count += !shared && !engine_is_own(uid);
	return 0;
}

static void engine_dismiss(struct engine *e, struct worker *w)
{
	e->count -= !w->shared && !engine_is_own(w->uid);
	TAILQ_REMOVE(&e->workers, w, entry);
	worker_destroy(w);
}

int engine_create(struct engine **out, unsigned workers, int dir, const struct engine_events *events)
{
	struct engine *e = calloc(1, sizeof(*e));
	struct worker *w;
	int err;

	if (!e)
		return -ENOMEM;
	e->each = workers;
	e->dir = dir;
	if (events)
		e->events = *events;
	TAILQ_INIT(&e->workers);
	e->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	err = e->null < 0 ? -errno : engine_hire(e, geteuid(), WORKER_OPEN, false, &w);
	if (err == 0)
		err = engine_hire(e, geteuid(), WORKER_CLOSED, false, &w);
	if (err < 0)
		engine_destroy(e);
	else
		*out = e;
	return err;
}

/* ---- which worker ---- */

/* The one with the fewest channels of those that do not stand, else of those that do; *count: how many there are. */
static struct worker *engine_find(struct engine *e, uid_t uid, enum worker_reach reach, bool shared, unsigned *count)
{
	struct worker *w, *best = NULL;

	*count = 0;
	TAILQ_FOREACH(w, &e->workers, entry) {
		if (w->leaving || w->uid != uid || w->reach != reach || w->shared != shared)
			continue;
		(*count)++;
		if (!best || best->stands > w->stands || (best->stands == w->stands && w->channels < best->channels))
			best = w;
	}
	return best;
}

/* One that several users share. */
static int engine_share(struct engine *e, uid_t uid, int why, struct worker **out)
{
	uid_t remainder = uid % e->each;
	uint64_t now = clock_nsec();
	unsigned count;
	int err = 0;

	*out = engine_find(e, remainder, WORKER_OPEN, true, &count);
	if (!*out)
		err = engine_hire(e, remainder, WORKER_OPEN, true, out);
	for (uid_t i = 0; err < 0 && i < e->each; i++) {
		*out = engine_find(e, i, WORKER_OPEN, true, &count);
		err = *out ? 0 : err;
	}
	if (err == 0 && e->said && now - e->said < SAY_NSEC)
		return 0;
	e->said = now;
	if (err < 0)
		log_user_err(uid, "no thread to move the data of user %u: %s", uid, strerror(-err));
	else
		log_user_warn(uid, "user %u has no worker alone, and shares one with others, who can hold it up: %s",
			      uid, why == -EUSERS ? "there are too many" : strerror(-why));
	return err;
}

/* Makes the first to be shared with the first of a user other than the daemon's: when it is needed it may be too late. */
static void engine_reserve(struct engine *e)
{
	struct worker *w;

	if (!e->reserved && engine_hire(e, 0, WORKER_OPEN, true, &w) == 0)
		e->reserved = true;
}

/* Whether one more worker is to be made for a user that has @count, the best of which @best is. */
static bool engine_wants_more(const struct engine *e, uid_t uid, const struct worker *best, unsigned count)
{
	if (!best)
		return true;
	if (count >= e->each || (!best->channels && !best->stands))
		return false;
	return engine_is_own(uid) || e->count < ENGINE_WORKERS_SPARE;
}

int engine_assign(struct engine *e, uid_t uid, enum worker_reach reach, struct worker **out)
{
	struct worker *w, *more;
	unsigned count;
	int err = 0;

	w = engine_find(e, uid, reach, false, &count);
	if (engine_wants_more(e, uid, w, count)) {
		if (!engine_is_own(uid))
			engine_reserve(e);
		if (!engine_is_own(uid) && e->count >= ENGINE_WORKERS_MAX)
			err = -EUSERS;
		else
			err = engine_hire(e, uid, reach, false, &more);
		if (err == 0)
			w = more;
	}
	err = w ? 0 : engine_share(e, uid, err, &w);
	if (err < 0)
		return err;
	w->channels++;
	*out = w;
	return 0;
}

void engine_release(struct worker *w)
{
	if (--w->channels == 0)
		w->rests = clock_nsec();
}

/* One that stands, on a socket that lingers, is kept: else the end would not know of it, and wait. */
static bool engine_may_go(const struct worker *w)
{
	return !w->channels && !w->stands && !w->shared && !engine_is_own(w->uid);
}

bool engine_rest(struct engine *e, uint64_t now)
{
	struct worker *w, *next;
	bool more = false;

	for (w = e ? TAILQ_FIRST(&e->workers) : NULL; w; w = next) {
		next = TAILQ_NEXT(w, entry);
		more |= w->leaving || (!w->shared && !engine_is_own(w->uid));
		if (w->leaving) {
			if (loop_ended(w->loop))
				engine_dismiss(e, w);
		} else if (engine_may_go(w) && now - w->rests >= ENGINE_REST_NSEC) {
			w->leaving = true;
			worker_stop(w);
		}
	}
	return more;
}

struct worker *engine_next(struct engine *e, struct worker *w)
{
	if (!e)
		return NULL;
	return w ? TAILQ_NEXT(w, entry) : TAILQ_FIRST(&e->workers);
}

bool engine_has_leaving(const struct engine *e)
{
	const struct worker *w;

	if (e)
		TAILQ_FOREACH(w, &e->workers, entry)
			if (w->leaving && !loop_ended(w->loop))
				return true;
	return false;
}

/* Dismisses those that have ended. Returns whether others still run that do not stand. */
static bool engine_dismiss_ended(struct engine *e)
{
	struct worker *w, *next;
	bool running = false;

	for (w = TAILQ_FIRST(&e->workers); w; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (loop_ended(w->loop))
			engine_dismiss(e, w);
		else
			running |= !w->stands;
	}
	return running;
}

void engine_abandon(struct engine *e, uint64_t nsec)
{
	uint64_t end = clock_nsec() + nsec;
	struct worker *w;

	TAILQ_FOREACH(w, &e->workers, entry)
		if (!w->stands)
			worker_stop(w);
	while (engine_dismiss_ended(e) && clock_nsec() < end)
		poll(NULL, 0, 1);
}

void engine_destroy(struct engine *e)
{
	struct worker *w;

	if (!e)
		return;
	TAILQ_FOREACH(w, &e->workers, entry)
		worker_stop(w);
	while ((w = TAILQ_FIRST(&e->workers)))
		engine_dismiss(e, w);
	fd_close(&e->null);
	free(e);
}
