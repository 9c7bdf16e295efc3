/*
 * The next file of a rotation: who asks for one, and that it is opened, by a thread, with one opening at a time and never a third
 * file. Where it cannot be opened the old one goes on: who has asked is told, else it is logged once, and tried again.
 */
#include "rotation-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "log.h"
#include "reopening.h"
#include "sink-options.h"

/* ---- who waits ---- */

struct rotation_wait {
	TAILQ_ENTRY(rotation_wait) entry;
	void (*reopened)(void *data, int err, const char *why);
	void *data;
};

static bool rotation_is_series(const struct rotation *r)
{
	return r->size || r->interval;
}

/* Whether the present file is another one already for who asks now. */
static bool rotation_has_begun(const struct rotation *r)
{
	return rotation_is_series(r) && rotation_is_empty(r);
}

static void rotation_answer_one(struct rotation *r, struct rotation_wait *w, int err, const char *why)
{
	TAILQ_REMOVE(&r->waits, w, entry);
	w->reopened(w->data, err, why);
	free(w);
}

void rotation_answer(struct rotation *r, int err, const char *why)
{
	if (rotation_asked(r))
		rotation_answer_one(r, TAILQ_FIRST(&r->waits), err, why);
	while (rotation_asked(r) && err == 0 && rotation_has_begun(r))
		rotation_answer_one(r, TAILQ_FIRST(&r->waits), 0, NULL);
	r->due |= rotation_asked(r);
}

/* ---- the opening ---- */

static bool rotation_has_all(const struct rotation *r)
{
	return r->keep && r->made_count == r->keep;
}

static void rotation_fail(struct rotation *r, int err, const char *why)
{
	const struct port *p = r->port;

	if (!r->failed && !rotation_asked(r)) /* (who asks is told, and that is logged) */
		log_user_warn(p->config.rights.uid, "%s: port %u, %s: no other file, the old one goes on: %s",
			      p->channel->label, p->id, p->config.uri.text, why);
	r->failed |= !rotation_asked(r);
	r->due = rotation_is_series(r);
	rotation_answer(r, err, why);
	if (r->due)
		loop_io_timer(&r->again, sink_options_retry(p) * NSEC_PER_SEC);
}

static void rotation_opened(struct port *p, struct opening *o)
{
	struct file_port *f = file_port_of(p);
	struct rotation *r = &f->rotation;

	loop_io_cancel(&r->patience);
	r->waited = false;
	if (o->err == -EALREADY) {
		r->due = false;
		rotation_answer(r, 0, NULL);
	} else if (o->err < 0) {
		rotation_fail(r, o->err, o->why);
	} else {
		if (r->failed)
			log_user_info(p->config.rights.uid, "%s: port %u: there is another file again",
				      p->channel->label, p->id);
		r->failed = false;
		if (rotation_has_all(r)) { /* the oldest is gone */
			r->first = (r->first + 1) % r->keep;
			r->made_count--;
		}
		r->next = opened_take(&o->opened);
		loop_io_timer(&r->patience, RECORD_NSEC);
	}
	r->changed(f);
}

void rotation_begin(struct rotation *r)
{
	struct succession after = { .follows = true, .present = r->port->config.opened.file };
	int err;

	if (!r->due || r->opening || rotation_ready(r) || !rotation_quiet(r) || loop_io_armed(&r->again))
		return;
	loop_io_cancel(&r->patience);
	after.removes = rotation_has_all(r);
	if (after.removes)
		after.oldest = r->made[r->first];
	err = reopening_start(&r->opening, r->port, &after, rotation_opened);
	if (err < 0)
		rotation_fail(r, err, err == -EUSERS ? "too many are being opened at the same time" : strerror(-err));
}

void rotation_begin_asked(struct rotation *r)
{
	if (rotation_asked(r))
		rotation_begin(r);
}

void rotation_again(struct loop_io *io, int res)
{
	struct rotation *r = container_of(io, struct rotation, again);

	r->changed(rotation_file(r));
}

/* ---- who asks ---- */

int rotation_reopen(struct rotation *r, void (*reopened)(void *data, int err, const char *why), void *data)
{
	struct rotation_wait *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->reopened = reopened;
	w->data = data;
	TAILQ_INSERT_TAIL(&r->waits, w, entry);
	if (rotation_has_begun(r)) {
		rotation_answer_one(r, w, 0, NULL);
		return 0;
	}
	r->due = true;
	r->failed = false;
	loop_io_cancel(&r->again);
	r->changed(rotation_file(r));
	return 0;
}

void rotation_forget(struct rotation *r, const void *data)
{
	struct rotation_wait *w;

	TAILQ_FOREACH(w, &r->waits, entry)
		if (w->data == data)
			break;
	if (w)
		rotation_answer_one(r, w, -EINTR, strerror(EINTR));
}
