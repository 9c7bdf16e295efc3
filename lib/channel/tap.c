/*
 * A tap's making and its end. What it has is in the queue, or behind it in the outlet, and in that order: the outlet is
 * filled from the queue's head (tap-drain.c), or straight from a chunk while the queue is empty (tap-take.c).
 */
#include "tap-parts.h"

#include <errno.h>

#include "base.h"
#include "broadcast.h"
#include "channel.h"
#include "worker.h"
#include "pipe.h"

static void tap_outlet_changed(struct outlet *o)
{
	struct tap *tap = container_of(o, struct tap, outlet);

	if (o->visited)
		tap_was_read(tap, stamp_clock(tap->channel->stamp));
	o->visited = false;
	tap_look(tap);
}

static void tap_due(struct loop_io *io, int res)
{
	tap_look(container_of(io, struct tap, due));
}

static void tap_free(struct tap *tap)
{
	charge_finish(&tap->charge);
	charge_finish(&tap->descriptors);
	stamp_put(tap->stamp);
	free(tap);
}

static int tap_new(struct tap **out, struct channel *ch, uint64_t id, const struct limits *limits,
		   void (*changed)(struct tap *))
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int err;

	if (!tap)
		return -ENOMEM;
	tap->channel = ch;
	tap->id = id;
	tap->changed = changed;
	tap->settings = limits->settings;
	tap_latency_init(tap);
	tap->charge.account = tap->descriptors.account = limits->account;
	tap->descriptors.of = ACCOUNT_DESCRIPTORS;
	tap->replay_pipes = ch->replay.queue.count + (channel_prologue(ch) != NULL);
	tap->rate_limit.rate = limits->settings.value[SETTING_RATE];
	tap->delivered = tap->owes = true;
	tap->goes_on = limits->goes_on;
	queue_init(&tap->queue);
	loop_io_init(&tap->due, ch->worker->loop, tap_due);
	err = tap_charge(tap);
	if (err == 0)
		*out = tap;
	else
		free(tap);
	return err;
}

int tap_create(struct tap **out, struct channel *ch, uint64_t id, const struct limits *limits,
	       void (*changed)(struct tap *))
{
	struct fifo fifo = { .dir = ch->origin.dir, .id = id };
	struct tap *tap;
	int err = tap_new(&tap, ch, id, limits, changed);

	if (err < 0)
		return err;
	tap->stamp = stamp_create();
	err = tap->stamp ? outlet_init(&tap->outlet, &fifo, 0, ch->worker, tap_outlet_changed) : -ENOMEM;
	tap->outlet.user = ch->user;
	if (err < 0) {
		tap_free(tap);
		return err;
	}
	outlet_resize(&tap->outlet, tap_ring_size(tap));
	outlet_attend(&tap->outlet, tap_discards(tap));
	*out = tap;
	return 0;
}

int tap_create_awaited(struct tap **out, struct broadcast *b, struct visitor *visitor, const struct limits *limits,
		       void (*changed)(struct tap *))
{
	struct channel *ch = b->channel;
	struct fifo fifo = { .dir = ch->origin.dir, .id = visitor->id };
	struct tap *tap;
	int err = tap_new(&tap, ch, visitor->id, limits, changed);

	if (err < 0)
		return err;
	err = outlet_single_init(&tap->outlet, &fifo, ch->worker, tap_outlet_changed);
	if (err < 0) {
		tap_free(tap);
		return err;
	}
	tap->outlet.user = visitor->account ? visitor->account->uid : ch->user;
	tap->broadcast = b;
	tap->stamp = stamp_get(b->stamp);
	tap->visitor = visitor;
	visitor->tap = tap;
	*out = tap;
	return 0;
}

void tap_visited(struct tap *tap)
{
	struct outlet *o = &tap->outlet;

	outlet_single_unwatch(o);
	outlet_resize(o, tap_ring_size(tap));
	o->unread = false;
	outlet_attend(o, tap_attends(tap));
}

int tap_create_private(struct tap **out, struct channel *ch, uint64_t id, int *rd, const struct limits *limits,
		       void (*changed)(struct tap *))
{
	struct pipe p = PIPE_NONE;
	struct tap *tap;
	int err = tap_new(&tap, ch, id, limits, changed);

	if (err < 0)
		return err;
	err = pipe_open(&p, tap_ring_size(tap));
	if (err > 0)
		err = fifo_fd_check(p.rd > p.wr ? p.rd : p.wr);
	if (err < 0) {
		pipe_close(&p);
		tap_free(tap);
		return err;
	}
	outlet_init_pipe(&tap->outlet, p.wr, ch->worker->loop, tap_outlet_changed);
	outlet_resize(&tap->outlet, tap_ring_size(tap));
	*rd = p.rd;
	*out = tap;
	return 0;
}

void tap_destroy(struct tap *tap)
{
	struct visitor *visitor = tap ? tap->visitor : NULL;

	if (!tap)
		return;
	loop_io_cancel(&tap->due);
	outlet_finish(&tap->outlet);
	queue_finish(&tap->queue);
	tap_free(tap);
	if (!visitor)
		return;
	visitor->tap = NULL;
	visitor->gone(visitor);
}

int tap_prepare(struct tap *tap)
{
	int err = outlet_hold(&tap->outlet);
	int size;

	if (err == 0 && tap_owes(tap))
		err = tap_greet(tap);
	if (err < 0 && tap->outlet.state == OUTLET_HOLDING && !tap_blocks(tap)) {
		tap_starve(tap, err); /* nobody is to be held back by that: what comes is queued meanwhile */
		err = 0;
	}
	size = err < 0 ? err : queue_reserve(&tap->queue);
	return err < 0 || size >= 0 || tap_blocks(tap) ? size : tap_do_without(tap);
}
