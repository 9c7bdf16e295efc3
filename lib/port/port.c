/*
 * The end of a port, by itself or because it is detached, and whose turn it is then.
 *
 * A failed sink on the origin keeps its private tap, so that nothing is lost: the next sink there goes on with it.
 */
#include "port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "engine.h"
#include "log.h"
#include "pipe.h"
#include "port-ops.h"
#include "stream.h"

/* Ended ports that are remembered. */
#define ENDED_MAX 32

static void tell(struct port *p)
{
	const struct engine_events *events = &p->channel->worker->events;

	if (events->port_ended)
		events->port_ended(events->data, p->channel, p->id);
}

/* ---- the end ---- */

void port_leave_tap(struct port *p)
{
	fd_close(&p->pipe);
	if (p->tap >= TAP_PRIVATE) {
		const struct tap *tap = channel_find_tap(p->channel, p->tap);
		size_t left = tap ? tap_waiting(tap) : 0;

		if (left)
			log_info("%s: port %u dropped %zu bytes that it had not moved", p->channel->label, p->id, left);
		channel_remove_tap(p->channel, p->tap);
	}
	p->tap = 0;
}

void port_destroy(struct port *p)
{
	p->ops->finish(p);
	inlet_close(&p->inlet);
	fd_close(&p->pipe);
	opened_close(&p->config.opened, p->config.rights.uid);
	uri_finish(&p->config.uri);
	rights_finish(&p->config.rights);
	free(p);
}

void port_forget_old(struct port_list *list)
{
	struct port *p, *oldest = NULL;
	unsigned ended = 0;

	TAILQ_FOREACH(p, &list->ports, entry) {
		if (!port_has_ended(p) || p->tap >= TAP_PRIVATE)
			continue;
		if (!oldest)
			oldest = p;
		ended++;
	}
	if (ended < ENDED_MAX)
		return;
	TAILQ_REMOVE(&list->ports, oldest, entry);
	port_destroy(oldest);
}

void port_next_source(struct port_list *list)
{
	struct port *p;

	TAILQ_FOREACH(p, &list->ports, entry)
		if (p->config.dir == PORT_SOURCE && !port_has_ended(p))
			break;
	if (!p || p->state != PORT_WAITING)
		return;
	p->state = PORT_RUNNING;
	p->ops->start(p);
}

void port_end(struct port *p, int err)
{
	struct channel *ch = p->channel;

	p->state = err < 0 ? PORT_FAILED : PORT_DONE;
	p->err = err;
	if (err < 0)
		log_warn("%s: port %u, %s: %s", ch->label, p->id, p->config.uri.text, strerror(-err));
	else
		log_debug("%s: port %u, %s, is done", ch->label, p->id, p->config.uri.text);
	p->ops->finish(p);
	opened_close(&p->config.opened, p->config.rights.uid);
	inlet_close(&p->inlet);
	if (p->config.dir == PORT_SINK && (err == 0 || p->tap < TAP_PRIVATE))
		port_leave_tap(p);
	tell(p);
	port_next_source(p->list);
}

void port_stopped(struct port *p)
{
	struct port_list *list = p->list;

	TAILQ_REMOVE(&list->leaving, p, entry);
	if (p->config.dir == PORT_SINK)
		port_leave_tap(p);
	port_destroy(p);
	port_next_source(list);
}

int port_detach(struct channel *ch, unsigned id)
{
	struct port_list *list = port_list_of(ch);
	struct port *p = list ? port_list_find(list, id) : NULL;

	if (!p)
		return -ENOENT;
	TAILQ_REMOVE(&list->ports, p, entry);
	TAILQ_INSERT_TAIL(&list->leaving, p, entry);
	p->leaving = true;
	p->inlet.stream = false;
	if (!port_has_ended(p))
		tell(p);
	if (port_has_ended(p) || p->state == PORT_WAITING || p->ops->stop(p))
		port_stopped(p);
	return 0;
}

void port_drained(struct port *p)
{
	struct tap *tap = p->tap >= TAP_PRIVATE ? channel_find_tap(p->channel, p->tap) : NULL;

	if (tap)
		tap_look(tap);
}

const uint64_t *port_stable(const struct port *p)
{
	return p->config.dir == PORT_SOURCE ? &p->channel->settings.value[SETTING_STABLE] : NULL;
}
