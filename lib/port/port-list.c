/*
 * The list of a channel's ports: the running ones, the sources that wait for their turn, and the latest that have
 * ended, so that somebody can ask how. It is what the channel knows of them (ends.h).
 */
#include "port-ops.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "channel.h"

static struct port_list *port_list_at(const struct channel_ends *ends)
{
	return container_of(ends, struct port_list, ends);
}

struct port *port_list_find(const struct port_list *list, unsigned id)
{
	struct port *p;

	TAILQ_FOREACH(p, &list->ports, entry)
		if (p->id == id)
			break;
	return p;
}

/* The next one on the list, which may have changed since @id was looked at: numbers only grow. */
static struct port *port_list_after(const struct port_list *list, unsigned id)
{
	struct port *p;

	TAILQ_FOREACH(p, &list->ports, entry)
		if (p->id > id)
			break;
	return p;
}

static void port_list_name_gone(struct channel_ends *ends, uint64_t id)
{
	struct port_list *list = port_list_at(ends);
	struct port *p;

	for (unsigned last = 0; (p = port_list_after(list, last));) {
		struct tap *tap;

		last = p->id;
		if (p->config.dir != PORT_SINK || p->config.node != id || p->over)
			continue;
		tap = channel_find_tap(p->channel, id);
		if (p->ops->name_gone)
			p->ops->name_gone(p);
		else if (tap)
			outlet_hold(&tap->outlet); /* a FIFO that had no writer yet has no end */
	}
}

static void port_list_stream_over(struct channel_ends *ends)
{
	struct port_list *list = port_list_at(ends);
	struct port *p;

	for (unsigned last = 0; (p = port_list_after(list, last));) {
		last = p->id;
		if (p->ops->stream_over && p->state != PORT_WAITING && !p->over)
			p->ops->stream_over(p);
	}
}

static void port_list_origin_moved(struct channel_ends *ends, uint64_t from, uint64_t to)
{
	struct port *p;

	TAILQ_FOREACH(p, &port_list_at(ends)->ports, entry)
		if (p->config.node == from)
			p->config.node = to;
}

static bool port_list_busy(const struct channel_ends *ends)
{
	const struct port_list *list = port_list_at(ends);
	const struct port *p;

	TAILQ_FOREACH(p, &list->ports, entry)
		if (!p->over)
			return true;
	TAILQ_FOREACH(p, &list->leaving, entry)
		if (!p->over)
			return true;
	return false;
}

static bool port_list_next(const struct channel_ends *ends, unsigned after, struct end_look *look)
{
	const struct port *p = port_list_after(port_list_at(ends), after);

	const struct tap *holder = p ? port_holder(p) : NULL;

	if (p)
		*look = (struct end_look){ .id = p->id,
					   .state = p->state,
					   .err = p->err,
					   .full = holder && holder->id >= TAP_PRIVATE,
					   .uri = p->config.uri.text };
	return p;
}

static int port_list_report(const struct channel_ends *ends, struct port_report **reports, size_t *count)
{
	const struct port_list *list = port_list_at(ends);
	struct port_report *all;
	struct port *p;
	size_t n = 0;
	int err = 0;

	TAILQ_FOREACH(p, &list->ports, entry)
		n++;
	all = calloc(n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	n = 0;
	TAILQ_FOREACH(p, &list->ports, entry)
		if (err == 0)
			err = port_report(p, &all[n++]);
	if (err == 0) {
		*reports = all;
		*count = n;
		return 0;
	}
	while (n)
		port_report_finish(&all[--n]);
	free(all);
	return err;
}

static void port_list_destroy(struct channel_ends *ends)
{
	struct port_list *list = port_list_at(ends);
	struct port *p;

	while ((p = TAILQ_FIRST(&list->ports)) || (p = TAILQ_FIRST(&list->leaving))) {
		if (p->leaving)
			TAILQ_REMOVE(&list->leaving, p, entry);
		else
			TAILQ_REMOVE(&list->ports, p, entry);
		port_destroy(p);
	}
	free(list);
}

static const struct channel_ends_ops port_list_ops = {
	.name_gone = port_list_name_gone,
	.stream_over = port_list_stream_over,
	.origin_moved = port_list_origin_moved,
	.busy = port_list_busy,
	.next = port_list_next,
	.report = port_list_report,
	.destroy = port_list_destroy,
};

struct port_list *port_list_of(const struct channel *ch)
{
	return ch->ends ? port_list_at(ch->ends) : NULL;
}

struct port_list *port_list_make(struct channel *ch)
{
	struct port_list *list = port_list_of(ch);

	if (list)
		return list;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->ends.ops = &port_list_ops;
	TAILQ_INIT(&list->ports);
	TAILQ_INIT(&list->leaving);
	ch->ends = &list->ends;
	return list;
}
