#include "rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "channel.h"
#include "deferred-close.h"
#include "log.h"
#include "port-file.h"
#include "reopening.h"
#include "sink-options.h"
#include "size.h"
#include "worker.h"

/* Nothing is written while the next file is opened, or the one before it is closed, but for no longer than this; */
#define OPENING_NSEC NSEC_PER_SEC
/* nor is it waited for the end of a record that does not come. */
#define RECORD_NSEC (NSEC_PER_SEC / 5)

#define SIZE_MIN 4096
#define SECONDS_MAX (366 * 86400)
#define KEEP_MAX 10000

/* In the value of rotate=: seconds, not bytes. */
#define IS_TIME (UINT64_C(1) << 63)

static int rotation_parse(const struct uri_option *option, const char *text, uint64_t *value)
{
	static const struct {
		char unit;
		unsigned seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; digits && i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t n = strtoull(text, NULL, 10);

		if (text[digits] != units[i].unit || text[digits + 1])
			continue;
		if (n < 1 || n > SECONDS_MAX / units[i].seconds)
			return -ERANGE;
		*value = IS_TIME | n * units[i].seconds;
		return 0;
	}
	if (size_parse(text, INT64_MAX, value) < 0)
		return -EINVAL;
	return *value < SIZE_MIN ? -ERANGE : 0;
}

const struct uri_option file_rotate = {
	.name = "rotate",
	.dirs = PORT_SINKS,
	.parse = rotation_parse,
	.what = "a size (1G) of 4K or more, or a time (30s, 15m, 1h, 1d)",
};

const struct uri_option file_keep = {
	.name = "keep",
	.dirs = PORT_SINKS,
	.parse = uri_option_number,
	.what = "a number of files",
	.max = KEEP_MAX,
};

static struct file_port *rotation_file(const struct rotation *r)
{
	return file_port_of(r->port);
}

/* ---- who waits ---- */

struct rotation_wait {
	TAILQ_ENTRY(rotation_wait) entry;
	void (*reopened)(void *data, int err, const char *why);
	void *data;
};

static void rotation_answer_one(struct rotation *r, struct rotation_wait *w, int err, const char *why)
{
	TAILQ_REMOVE(&r->waits, w, entry);
	w->reopened(w->data, err, why);
	free(w);
}

static bool rotation_asked(const struct rotation *r)
{
	return !TAILQ_EMPTY(&r->waits);
}

/* The first, whom there was another file for. What comes of his is nothing to the next, who may have asked after it was opened. */
static void rotation_answer(struct rotation *r, int err, const char *why)
{
	if (rotation_asked(r))
		rotation_answer_one(r, TAILQ_FIRST(&r->waits), err, why);
	r->due |= rotation_asked(r);
}

/* ---- time ---- */

/* Seconds from @now to the next multiple of the interval, in local time: so an hour begins with the hour, a day at midnight. */
static uint64_t rotation_seconds(const struct rotation *r, time_t now)
{
	struct tm tm = { 0 };

	localtime_r(&now, &tm);
	return r->interval - (uint64_t)(now + tm.tm_gmtoff) % r->interval;
}

static void rotation_set_alarm(struct rotation *r)
{
	struct timespec now;

	if (!r->interval)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	loop_io_cancel(&r->alarm);
	loop_io_alarm(&r->alarm, (uint64_t)now.tv_sec + rotation_seconds(r, now.tv_sec));
}

static void rotation_alarmed(struct loop_io *io, int res)
{
	struct rotation *r = container_of(io, struct rotation, alarm);

	if (res == 0 && r->length) {
		r->due = true;
		return;
	}
	if (res == 0 || res == -ECANCELED) { /* an empty file has time */
		rotation_set_alarm(r);
		return;
	}
	log_user_warn(r->port->config.rights.uid, "%s: port %u: no alarm: %s", r->port->channel->label, r->port->id,
		      strerror(-res));
}

static void rotation_impatient(struct loop_io *io, int res)
{
	struct rotation *r = container_of(io, struct rotation, patience);

	r->waited = true;
	r->changed(rotation_file(r));
}

/* ---- the old file ---- */

static void rotation_closed(void *data)
{
	struct rotation *r = data;

	r->closing = NULL;
	r->changed(rotation_file(r));
}

static void rotation_synced(struct loop_io *io, int res)
{
	struct rotation *r = container_of(io, struct rotation, sync);
	const struct port *p = r->port;

	if (res == -EINTR || res == -ECANCELED) { /* the process was stopped */
		loop_io_fsync(&r->sync, r->old.fd);
		return;
	}
	if (res < 0 && res != -EINVAL)
		log_user_warn(p->config.rights.uid, "%s: port %u, %s: sync of the file before: %s", p->channel->label,
			      p->id, p->config.uri.text, strerror(-res));
	loop_io_fence(io->loop, io->lane, r->old.fd);
	if (r->closing)
		opened_close_begin(&r->old, r->closing);
	else
		opened_close(&r->old, p->config.rights.uid);
}

/* The ring has room: rotation_opened(). */
static void rotation_remember(struct rotation *r, const struct series_file *file)
{
	if (r->keep)
		r->made[(r->first + r->made_count++) % r->keep] = *file;
}

static bool rotation_has_all(const struct rotation *r)
{
	return r->keep && r->made_count == r->keep;
}

void rotation_switch(struct rotation *r)
{
	struct port *p = r->port;

	loop_io_cancel(&r->patience);
	r->old = opened_take(&p->config.opened);
	p->config.opened = opened_take(&r->next);
	rotation_remember(r, &r->old.file);
	r->length = p->config.opened.size;
	r->due = r->waited = r->found = false;
	r->count++;
	rotation_set_alarm(r);
	log_user_info(p->config.rights.uid, "%s: port %u goes on in %s", p->channel->label, p->id, rotation_path(r));
	r->closing = deferred_close_create(r->sync.loop, p->config.rights.uid, rotation_closed, r);
	loop_io_fsync(&r->sync, r->old.fd);
	rotation_answer(r, 0, NULL);
}

const char *rotation_path(const struct rotation *r)
{
	const struct port_config *config = &r->port->config;

	return config->opened.path ? config->opened.path : config->uri.path;
}

/* ---- the next file ---- */

static bool rotation_is_series(const struct rotation *r)
{
	return r->size || r->interval;
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

static void rotation_begin(struct rotation *r)
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

static void rotation_again(struct loop_io *io, int res)
{
	struct rotation *r = container_of(io, struct rotation, again);

	r->changed(rotation_file(r));
}

int rotation_reopen(struct rotation *r, void (*reopened)(void *data, int err, const char *why), void *data)
{
	struct rotation_wait *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->reopened = reopened;
	w->data = data;
	TAILQ_INSERT_TAIL(&r->waits, w, entry);
	if (rotation_is_series(r) && !r->length) { /* it has just begun one */
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

/* ---- where it is cut ---- */

static uint64_t rotation_record(const struct rotation *r)
{
	return r->port->channel->settings.value[SETTING_RECORD];
}

/* Looks for the boundary in what is in hand. Returns the bytes before it; all of them: it is not there, or at their end. */
static size_t rotation_cut(struct rotation *r, const struct half *half, bool begun)
{
	const struct bounce *b = &half->bounce;
	const struct chunk bytes = r->port->copying ?
					   (struct chunk){ .stage = -1, .mem = b->buf + b->at, .len = b->len } :
					   (struct chunk){ .stage = half->pipe.rd, .len = half->bytes };
	uint64_t record = rotation_record(r);
	ssize_t n;

	if (r->waited)
		return 0;
	if (record == RECORD_WRITES)
		return begun ? half->bytes : 0;
	n = record_next(record, record_past(record, r->port->bytes), &bytes);
	if (n < 0) /* it comes later, or cannot be told yet */
		return half->bytes;
	r->found = true;
	r->before = (size_t)n;
	return (size_t)n;
}

/* For the next file, or until the one before is closed, so that there can be another; for a while. */
static bool rotation_waits(struct rotation *r)
{
	if (r->waited || (!r->opening && rotation_quiet(r)))
		return false;
	loop_io_timer(&r->patience, OPENING_NSEC);
	return true;
}

size_t rotation_share(struct rotation *r, const struct half *half, bool begun)
{
	if (r->size && r->length >= r->size)
		r->due = true;
	if (!r->due && r->size && rotation_record(r) != RECORD_WRITES && half->bytes > r->size - r->length)
		return (size_t)(r->size - r->length);
	if (!r->due)
		return half->bytes;
	rotation_begin(r);
	if (!rotation_ready(r))
		return rotation_waits(r) ? 0 : half->bytes;
	if (r->found)
		return r->before < half->bytes ? r->before : half->bytes;
	return rotation_cut(r, half, begun);
}

bool rotation_rests(const struct rotation *r)
{
	return r->waited || r->found || !record_past(rotation_record(r), r->port->bytes);
}

void rotation_wrote(struct rotation *r, size_t bytes)
{
	r->length += bytes;
	r->before -= bytes < r->before ? bytes : r->before;
}

/* ---- its begin and end ---- */

int rotation_init(struct rotation *r, struct port *p, void (*changed)(struct file_port *f))
{
	uint64_t rotate = uri_value(&p->config.uri, &file_rotate);
	struct file_port *f = file_port_of(p);
	struct loop *loop = f->disk.loop;

	r->port = p;
	TAILQ_INIT(&r->waits);
	r->changed = changed;
	r->size = rotate & IS_TIME ? 0 : rotate;
	r->interval = rotate & IS_TIME ? rotate & ~IS_TIME : 0;
	r->keep = (unsigned)uri_value(&p->config.uri, &file_keep);
	r->length = p->config.opened.size;
	r->next = r->old = OPENED_NONE;
	loop_io_init(&r->alarm, loop, rotation_alarmed);
	loop_io_init(&r->patience, loop, rotation_impatient);
	loop_io_init(&r->again, loop, rotation_again);
	loop_io_init(&r->sync, loop, rotation_synced);
	loop_io_act_as(&r->sync, f->lane, f->personality);
	if (r->keep)
		r->made = calloc(r->keep, sizeof(*r->made));
	if (r->keep && !r->made)
		return -ENOMEM;
	rotation_set_alarm(r);
	return 0;
}

void rotation_finish(struct rotation *r)
{
	uid_t uid;

	if (!r->port)
		return;
	uid = r->port->config.rights.uid;
	loop_io_cancel(&r->alarm);
	loop_io_cancel(&r->patience);
	loop_io_cancel(&r->again);
	loop_io_cancel(&r->sync);
	reopening_forget(&r->opening);
	opened_close(&r->next, uid);
	if (r->old.fd >= 0)
		loop_io_fence(r->sync.loop, r->sync.lane, r->old.fd);
	if (r->closing && r->old.fd >= 0)
		opened_close_begin(&r->old, r->closing);
	opened_close(&r->old, uid);
	deferred_close_forget(r->closing);
	r->closing = NULL;
	free(r->made);
	r->made = NULL;
	r->keep = 0;
	while (rotation_asked(r))
		rotation_answer(r, -ECANCELED, "the sink has ended");
}
