/*
 * The first look tells nothing: what there is when the watch begins has not happened in it. Streams are told one by
 * one; a tap that is full and has room many times in MONITOR_NSEC is told of once. Out of memory, a tap or port is told
 * of later.
 */
#include "monitor.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "broadcast.h"
#include "clock.h"
#include "worker.h"
#include "event.h"

/* A tap (by its node) or a port (by its number), as it was told of. */
struct told {
	uint64_t id;
	bool there; /* in this look */
	bool full, read;
	uint64_t lost, drops;
	uint64_t nsec; /* when fill or drops were told */
	enum port_state state;
};

struct told_list {
	struct told *all;
	size_t count;
};

struct monitor {
	struct channel *channel;
	unsigned watchers;
	struct loop_io tick;
	bool writing;
	struct told_list taps, ports;
};

/* NULL: out of memory. *fresh: it was not there before. */
static struct told *monitor_find(struct told_list *list, uint64_t id, bool *fresh)
{
	struct told *all;

	*fresh = false;
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i].id == id)
			return &list->all[i];
	all = realloc(list->all, (list->count + 1) * sizeof(*all));
	if (!all)
		return NULL;
	list->all = all;
	all[list->count] = (struct told){ .id = id };
	*fresh = true;
	return &all[list->count++];
}

static void monitor_compare_tap(struct monitor *m, struct tap *tap)
{
	bool read = outlet_is_read(&tap->outlet), full = tap_holds(tap), fresh;
	struct told *t = monitor_find(&m->taps, tap->id, &fresh);
	uint64_t at = clock_nsec();

	if (!t)
		return;
	t->there = true;
	if (fresh) {
		t->lost = tap->lost;
		t->drops = tap->drops;
	}
	if (read != t->read)
		event_tell(m->channel,
			   (struct event){ read ? EVENT_READERS : EVENT_NO_READERS, .tap = broadcast_name_of(tap) });
	t->read = read;
	if (at - t->nsec < MONITOR_NSEC) /* the next tick tells */
		return;
	if (full != t->full)
		event_tell(m->channel, (struct event){ full ? EVENT_FULL : EVENT_ROOM, .tap = broadcast_name_of(tap) });
	if (tap->lost != t->lost || tap->drops != t->drops)
		event_tell(m->channel, (struct event){ EVENT_DROP, .tap = broadcast_name_of(tap),
						       .bytes = tap->lost - t->lost, .count = tap->drops - t->drops });
	if (full != t->full || tap->lost != t->lost || tap->drops != t->drops)
		t->nsec = at;
	t->full = full;
	t->lost = tap->lost;
	t->drops = tap->drops;
}

/* Of a port with a tap of its own. */
static void monitor_compare_full(struct monitor *m, struct told *t, const struct end_look *look)
{
	uint64_t at = clock_nsec();

	if (look->full == t->full || at - t->nsec < MONITOR_NSEC)
		return;
	t->full = look->full;
	t->nsec = at;
	event_tell(m->channel, (struct event){ look->full ? EVENT_FULL : EVENT_ROOM, .port = look->id,
					       .state = look->state, .uri = look->uri });
}

static void monitor_compare_end(struct monitor *m, const struct end_look *look)
{
	bool fresh;
	struct told *t = monitor_find(&m->ports, look->id, &fresh);

	if (!t)
		return;
	t->there = true;
	monitor_compare_full(m, t, look);
	if (!fresh && t->state == look->state)
		return;
	t->state = look->state;
	event_tell(m->channel, (struct event){ EVENT_PORT, .port = look->id, .state = look->state, .err = look->err,
					       .uri = look->uri });
}

/* Those that are there no more are forgotten; of the rest it is not known in the next look. */
static void monitor_forget(struct monitor *m, struct told_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->all[i].there)
			list->all[kept++] = list->all[i];
		else if (list == &m->ports)
			event_tell(m->channel,
				   (struct event){ EVENT_PORT, .port = (unsigned)list->all[i].id, .detached = true });
	}
	list->count = kept;
	for (size_t i = 0; i < kept; i++)
		list->all[i].there = false;
}

void monitor_compare(struct channel *ch)
{
	struct monitor *m = ch->monitor;
	struct end_look look = { 0 };
	struct tap *tap;

	if (m->writing == ch->over) {
		m->writing = !ch->over;
		event_tell(ch, (struct event){ m->writing ? EVENT_WRITERS : EVENT_NO_WRITERS });
	}
	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (tap->id < TAP_PRIVATE)
			monitor_compare_tap(m, tap);
	while (ends_next(ch->ends, look.id, &look))
		monitor_compare_end(m, &look);
	monitor_forget(m, &m->taps);
	monitor_forget(m, &m->ports);
}

static void monitor_tick(struct loop_io *io, int res)
{
	struct monitor *m = container_of(io, struct monitor, tick);

	monitor_compare(m->channel);
	loop_io_timer(io, MONITOR_NSEC);
}

int monitor_start(struct channel *ch)
{
	if (!ch->monitor) {
		ch->monitor = calloc(1, sizeof(struct monitor));
		if (!ch->monitor)
			return -ENOMEM;
		ch->monitor->channel = ch;
		loop_io_init(&ch->monitor->tick, ch->worker->loop, monitor_tick);
		monitor_compare(ch); /* tells nothing: it is not watched yet */
		ch->watched = true;
		loop_io_timer(&ch->monitor->tick, MONITOR_NSEC);
		origin_watch_look(ch);
	}
	ch->monitor->watchers++;
	return 0;
}

void monitor_destroy(struct channel *ch)
{
	struct monitor *m = ch->monitor;

	if (!m)
		return;
	loop_io_cancel(&m->tick);
	free(m->taps.all);
	free(m->ports.all);
	free(m);
	ch->monitor = NULL;
	ch->watched = false;
	origin_watch_look(ch);
}

void monitor_stop(struct channel *ch)
{
	if (ch->monitor && --ch->monitor->watchers == 0)
		monitor_destroy(ch);
}
