/*
 * A rotation's time and files: when it is due, the switch from one file to the next, and what becomes of the one before. Beside
 * the file that is written there is the next one (r->next), or the one before (r->old) until it is synced and closed, never
 * both. All on the channel's worker; a sync or a close that takes for ever holds up the next rotation, but bytes for no longer
 * than rotation-cut.c says.
 */
#include "rotation-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "channel.h"
#include "clock.h"
#include "deferred-close.h"
#include "log.h"
#include "reopening.h"
#include "worker.h"

/* Summer time begins or ends: in seconds. */
#define CLOCK_CHANGE 7200

/* ---- time ---- */

static void rotation_set_alarm(struct rotation *r)
{
	if (!r->interval)
		return;
	r->at = series_next(r->interval, clock_day());
	loop_io_cancel(&r->alarm);
	loop_io_alarm(&r->alarm, (uint64_t)r->at);
}

void rotation_look_at_clock(struct rotation *r)
{
	time_t left, slack = r->interval < CLOCK_CHANGE ? (time_t)r->interval : CLOCK_CHANGE;

	if (!r->interval || r->due)
		return;
	left = r->at - clock_day();
	if (left <= 0 && !rotation_is_empty(r))
		r->due = true;
	else if (left <= 0 || left > (time_t)r->interval + slack)
		rotation_set_alarm(r);
}

static void rotation_alarmed(struct loop_io *io, int res)
{
	struct rotation *r = container_of(io, struct rotation, alarm);

	if (res == 0 && !rotation_is_empty(r)) {
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
			      p->id, r->old.path ? r->old.path : p->config.uri.path, strerror(-res));
	loop_io_fence(io->loop, io->lane, r->old.fd);
	if (r->closing)
		opened_close_begin(&r->old, r->closing);
	else
		opened_close(&r->old, p->config.rights.uid);
}

/* The ring has room: rotation-next.c. */
static void rotation_remember(struct rotation *r, const struct series_file *file)
{
	if (r->keep)
		r->made[(r->first + r->made_count++) % r->keep] = *file;
}

void rotation_switch(struct rotation *r)
{
	struct port *p = r->port;

	loop_io_cancel(&r->patience);
	r->old = opened_take(&p->config.opened);
	p->config.opened = opened_take(&r->next);
	rotation_remember(r, &r->old.file);
	r->length = p->config.opened.size;
	r->lead = 0;
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

/* ---- its begin and end ---- */

int rotation_init(struct rotation *r, struct port *p, void (*changed)(struct file_port *f))
{
	struct file_port *f = file_port_of(p);
	struct loop *loop = f->disk.loop;

	r->port = p;
	TAILQ_INIT(&r->waits);
	r->changed = changed;
	rotation_read_options(r, &p->config.uri);
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
