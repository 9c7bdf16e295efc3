/*
 * The end of a port, by itself or because it is detached, and whose turn it is then.
 *
 * A port ends in two steps. It is over: it has left the channel, moves nothing more, and the next source plays. Then
 * its descriptor is closed, which may take as long as somebody's file system likes; only after that is its end told, by
 * its state, to who waits for it and to who has detached it. So whoever hears of an end finds the address free and the
 * file system at rest. A close that hangs holds up nobody else.
 *
 * What a failed sink has not moved goes or stays as it was told (sink-options.h). Of one on the origin its private tap goes,
 * and the others run on; or the tap stays, and the next sink there goes on with it. A tap that has a name keeps what it has,
 * as its policy says; or it keeps nothing until somebody reads it.
 */
#include "port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "deferred-close.h"
#include "log.h"
#include "port-ops.h"
#include "sink-options.h"
#include "worker.h"

/* Ended ports that are remembered. */
#define PORT_ENDED_MAX 32

static void port_tell(struct port *p)
{
	const struct engine_events *events = &p->channel->worker->events;

	if (events->port_ended)
		events->port_ended(events->data, p->channel, p->id);
}

/* To who has detached it. */
static void port_answer(struct port *p)
{
	void (*detached)(void *data) = p->detached;

	p->detached = NULL;
	if (detached)
		detached(p->detached_data);
}

/* A sink leaves its tap: a private one goes, a name's keeps what is in it. Returns the bytes that went. */
static size_t port_leave_tap(struct port *p)
{
	struct tap *tap = channel_find_tap(p->channel, p->tap);
	size_t left = tap && p->tap >= TAP_PRIVATE ? tap_waiting(tap) : 0;

	fd_close(&p->pipe);
	if (tap)
		tap->goes_on = false;
	if (p->tap >= TAP_PRIVATE) {
		p->lost += port_tap_lost(p) + left;
		p->tap_lost = 0;
		channel_remove_tap(p->channel, p->tap);
	}
	p->tap = 0;
	return left;
}

static void port_drop_tap(struct port *p)
{
	size_t left = port_leave_tap(p);

	if (left)
		log_user_info(p->config.rights.uid, "%s: port %u dropped %zu bytes that it had not moved",
			      p->channel->label, p->id, left);
}

/* Lets go of the channel's end, but for a sink's tap. */
static void port_leave_channel(struct port *p)
{
	p->over = true;
	p->ops->finish(p);
	inlet_close(&p->inlet);
}

void port_destroy(struct port *p)
{
	if (!p->over) {
		p->ops->finish(p);
		inlet_close(&p->inlet);
	}
	fd_close(&p->pipe);
	port_close(p);
	deferred_close_forget(p->closing);
	free(p->config.opened.path);
	uri_finish(&p->config.uri);
	rights_finish(&p->config.rights);
	port_answer(p);
	p->channel->lost += p->lost;
	charge_finish(&p->descriptors);
	free(p);
}

/* ---- closing ---- */

/* Of a detached port: it is off both lists. */
static void port_go(struct port *p)
{
	TAILQ_REMOVE(&p->list->leaving, p, entry);
	port_drop_tap(p);
	port_destroy(p);
}

/* What follows from its being closed. May free a port that is leaving. */
static void port_settle(struct port *p)
{
	if (p->over)
		charge_set(&p->descriptors, 0);
	if (p->leaving) {
		if (p->state != PORT_DONE && p->state != PORT_FAILED && !p->told)
			port_tell(p);
		p->told = true;
		port_answer(p);
		if (p->over)
			port_go(p);
		return;
	}
	p->state = p->result < 0 ? PORT_FAILED : PORT_DONE;
	p->err = p->result;
	port_tell(p);
}

static void port_closed(void *data)
{
	struct port *p = data;

	p->closing = NULL;
	port_settle(p);
}

struct deferred_close *port_closing(struct port *p)
{
	return deferred_close_create(p->channel->worker->loop, p->config.rights.uid, port_closed, p);
}

/* Begins to close it, unless that has begun before. Which one it was is told of as long as the port is. */
void port_close(struct port *p)
{
	char *path = p->config.opened.path;
	bool begun;

	if (p->closes)
		return;
	p->closes = true;
	p->config.opened.path = NULL;
	begun = opened_close_begin(&p->config.opened, p->closing);
	p->config.opened.path = path;
	if (begun)
		return;
	deferred_close_forget(p->closing);
	p->closing = NULL;
}

/* It has left the channel: it is to be closed, and what follows from that, at once or later. */
static void port_finish(struct port *p)
{
	port_close(p);
	if (!p->closing)
		port_settle(p);
}

/* ---- the end ---- */

void port_forget_old(struct port_list *list)
{
	struct port *p, *oldest = NULL;
	unsigned ended = 0;

	TAILQ_FOREACH(p, &list->ports, entry) {
		if (!p->over || p->closing || p->tap >= TAP_PRIVATE)
			continue;
		if (!oldest)
			oldest = p;
		ended++;
	}
	if (ended < PORT_ENDED_MAX)
		return;
	TAILQ_REMOVE(&list->ports, oldest, entry);
	port_destroy(oldest);
}

void port_next_source(struct port_list *list)
{
	struct port *p;

	TAILQ_FOREACH(p, &list->leaving, entry)
		if (p->config.dir == PORT_SOURCE && !p->over) /* what it has in hand goes before */
			return;
	TAILQ_FOREACH(p, &list->ports, entry)
		if (p->config.dir == PORT_SOURCE && !p->over)
			break;
	if (!p || p->state != PORT_WAITING)
		return;
	p->state = PORT_RUNNING;
	p->ops->start(p);
}

/* With what it has not moved, as it was told. Returns the bytes, and in *become what that is. */
static size_t port_leave_failed(struct port *p, const char **become)
{
	struct tap *tap = channel_find_tap(p->channel, p->tap);
	bool named = p->tap && p->tap < TAP_PRIVATE;
	size_t left = tap ? tap_waiting(tap) : 0;

	if (sink_options_on_error(p) != ON_ERROR_DISCARD) {
		*become = named ? "wait in the tap" : "wait for the channel's next sink";
		if (named)
			port_leave_tap(p);
		return left;
	}
	*become = "are discarded";
	port_leave_tap(p);
	if (named && tap)
		tap_forsake(tap);
	return left;
}

static void port_fail(struct port *p, int err)
{
	const char *become = NULL;
	size_t left = 0;

	port_leave_channel(p);
	if (p->config.dir == PORT_SINK)
		left = port_leave_failed(p, &become);
	if (left)
		log_user_warn(p->config.rights.uid, "%s: port %u, %s: %s; %zu bytes %s", p->channel->label, p->id,
			      p->config.uri.text, port_reason(p, err), left, become);
	else
		log_user_warn(p->config.rights.uid, "%s: port %u, %s: %s", p->channel->label, p->id, p->config.uri.text,
			      port_reason(p, err));
}

void port_end(struct port *p, int err)
{
	struct port_list *list = p->list;

	p->result = err;
	if (err < 0) {
		port_fail(p, err);
	} else {
		log_debug("%s: port %u, %s, is done", p->channel->label, p->id, p->config.uri.text);
		port_leave_channel(p);
		if (p->config.dir == PORT_SINK)
			port_drop_tap(p);
	}
	port_finish(p);
	port_next_source(list);
}

void port_stopped(struct port *p)
{
	struct port_list *list = p->list;

	port_leave_channel(p);
	if (p->config.dir == PORT_SINK)
		port_drop_tap(p);
	port_finish(p);
	port_next_source(list);
}

int port_detach(struct channel *ch, unsigned id, void (*detached)(void *data), void *data)
{
	struct port_list *list = port_list_of(ch);
	struct port *p = list ? port_list_find(list, id) : NULL;

	if (!p)
		return -ENOENT;
	TAILQ_REMOVE(&list->ports, p, entry);
	TAILQ_INSERT_TAIL(&list->leaving, p, entry);
	p->leaving = true;
	p->detached = detached;
	p->detached_data = data;
	p->inlet.stream = false;
	if (!p->over && (p->state == PORT_WAITING || p->ops->stop(p)))
		port_stopped(p);
	else if (p->closes && !p->closing)
		port_settle(p);
	return 0;
}

void port_detach_forget(struct channel *ch, unsigned id, const void *data)
{
	struct port_list *list = port_list_of(ch);
	struct port *p = NULL;

	if (list)
		TAILQ_FOREACH(p, &list->leaving, entry)
			if (p->id == id)
				break;
	if (p && p->detached_data == data)
		port_answer(p);
}

void port_drained(struct port *p)
{
	struct tap *tap = port_own_tap(p);

	port_tap_lost(p);
	if (tap)
		tap_look(tap);
}

const uint64_t *port_stable(const struct port *p)
{
	return p->config.dir == PORT_SOURCE ? &p->channel->settings.value[SETTING_STABLE] : NULL;
}
