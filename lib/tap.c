#include "tap.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "engine.h"
#include "log.h"
#include "sys.h"

static void tap_changed(struct outlet *o)
{
	struct tap *tap = container_of(o, struct tap, outlet);
	bool full = tap_full(tap);

	tap_update(tap);
	if (full && !tap_full(tap))
		channel_pump(tap->channel);
}

int tap_create(struct tap **out, struct channel *ch, uint64_t id)
{
	struct fifo fifo = { .dir = ch->origin.dir, .id = id };
	struct tap *tap = calloc(1, sizeof(*tap));
	int err;

	if (!tap)
		return -ENOMEM;
	tap->channel = ch;
	tap->id = id;
	tap->delivered = true;
	queue_init(&tap->queue);
	err = outlet_init(&tap->outlet, &fifo, ch->worker->loop, &ch->worker->watcher, tap_changed);
	if (err < 0) {
		free(tap);
		return err;
	}
	*out = tap;
	return 0;
}

void tap_destroy(struct tap *tap)
{
	if (!tap)
		return;
	outlet_finish(&tap->outlet);
	queue_finish(&tap->queue);
	free(tap);
}

int tap_prepare(struct tap *tap)
{
	int err = outlet_hold(&tap->outlet);

	return err < 0 ? err : queue_reserve(&tap->queue);
}

void tap_take(struct tap *tap, const struct chunk *chunk)
{
	struct outlet *o = &tap->outlet;
	ssize_t n = 0;
	int err;

	if (tap->queue.bytes == 0 && !o->unread) {
		n = chunk_copy(chunk, 0, o->fd);
		if (n == -EPIPE)
			o->unread = true;
		if (n < 0)
			n = 0;
		tap->bytes_out += (size_t)n;
		if ((size_t)n == chunk->len)
			return;
	}
	err = queue_append(&tap->queue, chunk, (size_t)n);
	if (err < 0) {
		tap->lost += chunk->len - (size_t)n;
		log_err("%s: a tap lost %zu bytes: %s", tap->channel->label, chunk->len - (size_t)n, strerror(-err));
	}
	outlet_want_room(o);
}

void tap_update(struct tap *tap)
{
	struct outlet *o = &tap->outlet;

	if (tap->queue.bytes && o->state == OUTLET_HOLDING && !o->unread) {
		size_t moved = 0;
		int err = queue_drain(&tap->queue, o->fd, &moved);

		tap->bytes_out += moved;
		if (err == -EPIPE)
			o->unread = true;
		else if (err == -EAGAIN)
			outlet_want_room(o);
		else if (err < 0)
			log_err("%s: draining a tap: %s", tap->channel->label, strerror(-err));
	}
	if (tap->queue.bytes || !tap->channel->over || tap->delivered)
		return;
	if (outlet_settle(o, tap->channel->dead)) {
		tap->delivered = true;
		queue_rest(&tap->queue);
	}
}
