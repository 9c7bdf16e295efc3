#include "tap.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "engine.h"
#include "log.h"
#include "pipe.h"
#include "sys.h"

void tap_look(struct tap *tap)
{
	bool full = tap_full(tap);

	if (tap_update(tap)) {
		channel_remove_tap(tap->channel, tap->id);
		return;
	}
	if (full && !tap_full(tap))
		channel_pump(tap->channel);
}

static void tap_changed(struct outlet *o)
{
	tap_look(container_of(o, struct tap, outlet));
}

static struct tap *tap_new(struct channel *ch, uint64_t id, const struct terms *terms)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return NULL;
	tap->channel = ch;
	tap->id = id;
	tap->settings = terms->settings;
	tap->charge.account = terms->account;
	tap->delivered = true;
	queue_init(&tap->queue);
	return tap;
}

int tap_create(struct tap **out, struct channel *ch, uint64_t id, const struct terms *terms)
{
	struct fifo fifo = { .dir = ch->origin.dir, .id = id };
	struct tap *tap = tap_new(ch, id, terms);
	int err;

	if (!tap)
		return -ENOMEM;
	err = outlet_init(&tap->outlet, &fifo, ch->worker->loop, &ch->worker->watcher, tap_changed);
	if (err < 0) {
		free(tap);
		return err;
	}
	*out = tap;
	return 0;
}

int tap_create_private(struct tap **out, struct channel *ch, uint64_t id, int *rd,
		       const struct terms *terms)
{
	struct tap *tap = tap_new(ch, id, terms);
	struct pipe p = PIPE_NONE;
	int err;

	if (!tap)
		return -ENOMEM;
	err = pipe_open(&p, PIPE_SIZE);
	if (err > 0)
		err = fifo_fd_check(p.rd > p.wr ? p.rd : p.wr);
	if (err < 0) {
		pipe_close(&p);
		free(tap);
		return err;
	}
	outlet_init_pipe(&tap->outlet, p.wr, ch->worker->loop, tap_changed);
	*rd = p.rd;
	*out = tap;
	return 0;
}

void tap_destroy(struct tap *tap)
{
	if (!tap)
		return;
	outlet_finish(&tap->outlet);
	queue_finish(&tap->queue);
	charge_finish(&tap->charge);
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

	if (!tap_blocks(tap) && tap_full(tap)) {
		tap->lost += chunk->len;
		tap->drops++;
		return;
	}
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

ssize_t tap_move(struct tap *tap, int fd)
{
	struct outlet *o = &tap->outlet;
	ssize_t n;

	if (tap->queue.bytes || o->unread)
		return 0;
	n = sys.splice(fd, o->fd, 1 << 30);
	if (n == -EPIPE)
		o->unread = true;
	if (n > 0)
		tap->bytes_out += (uint64_t)n;
	if (n == -EAGAIN && tap_blocks(tap)) {
		tap->stalled = true;
		outlet_want_room(o);
	}
	return n;
}

bool tap_update(struct tap *tap)
{
	struct outlet *o = &tap->outlet;

	tap->stalled = false;
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
	if (tap->queue.bytes || tap->held || !tap->channel->over || tap->delivered)
		return false;
	if (outlet_settle(o, tap->channel->dead)) {
		tap->delivered = true;
		queue_rest(&tap->queue);
	}
	return outlet_spent(o);
}

/* The first part goes before the rest, so the rest is called back first. */
static int recall(struct tap *tap, int rd)
{
	struct pipe p = PIPE_NONE;
	int size, err, rest;
	ssize_t n;

	if (sys.waiting(rd) <= 0)
		return 0;
	size = pipe_open(&p, PIPE_SIZE);
	if (size < 0)
		return size;
	n = sys.splice(rd, p.wr, 1 << 30);
	if (n <= 0) {
		pipe_close(&p);
		return (int)n;
	}
	tap->bytes_out -= (uint64_t)n;
	rest = recall(tap, rd);
	err = queue_prepend(&tap->queue, &p, (size_t)n, size);
	pipe_close(&p);
	return err < 0 ? err : rest;
}

int tap_recall(struct tap *tap, int rd)
{
	int err = outlet_hold(&tap->outlet);

	if (err < 0)
		return err;
	tap->delivered = false;
	return recall(tap, rd);
}
