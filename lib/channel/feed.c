/*
 * Requests that cannot go on are parked in the order in which they came, and all are tried whenever the FIFO may have
 * changed: a write waits for room and a read for bytes, and each can be what the other waits for. A request is off the
 * list before its done() is called, and is never touched after it.
 *
 * A fast reader makes room for ever, and a gap can be of any size: a write that has had its turn is parked as well,
 * though there is room.
 */
#include "feed.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "base.h"
#include "channel.h"
#include "clock.h"
#include "worker.h"
#include "fifo.h"
#include "sys.h"

/* Writes of one request before the others of the worker have a turn; most are of one piece. */
#define TURN_WRITES 16

static void feed_ready(struct loop_io *io, int res);

int feed_create(struct feed **out, struct channel *ch)
{
	struct feed *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->inlet = INLET_NONE;
	err = inlet_open(&f->inlet, ch);
	if (err < 0) {
		free(f);
		return err;
	}
	TAILQ_INIT(&f->ops);
	loop_io_init(&f->io, ch->worker->loop, feed_ready);
	*out = f;
	return 0;
}

void feed_destroy(struct feed *f)
{
	if (!f)
		return;
	loop_io_cancel(&f->io);
	inlet_close(&f->inlet);
	free(f);
}

/* Writes the next bytes of @op: zeros first. */
static ssize_t feed_write_some(struct feed *f, struct feed_op *op)
{
	static const char zeros[65536];

	if (op->moved < op->zeros) {
		size_t left = op->zeros - op->moved;

		return sys.write(f->inlet.fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
	}
	return sys.write(f->inlet.fd, op->buf + (op->moved - op->zeros), op->len - (op->moved - op->zeros));
}

static ssize_t feed_written(const struct feed_op *op)
{
	return op->moved > op->zeros ? (ssize_t)(op->moved - op->zeros) : 0;
}

/* Of a write: what it found. The clock is read once for as long as there is no room. */
static void feed_note(struct channel *ch, ssize_t n)
{
	if (n == -EAGAIN && !ch->blocks_nsec)
		ch->blocks_nsec = clock_nsec();
	if (n <= 0)
		return;
	ch->blocks_nsec = 0;
	ch->messages += ch->settings.value[SETTING_PACKETS];
	ch->message_bytes += ch->settings.value[SETTING_PACKETS] ? (uint64_t)n : 0;
}

/* Writes what there is room for, in one turn. Returns true with what @op is to be answered, or false: it goes on later. */
static bool feed_write(struct feed *f, struct feed_op *op, ssize_t *result)
{
	ssize_t n = 0;

	for (int i = 0; op->moved < op->zeros + op->len; i++) {
		if (i == TURN_WRITES)
			return false;
		n = feed_write_some(f, op);
		feed_note(f->inlet.channel, n);
		if (n <= 0)
			break;
		op->moved += (size_t)n;
	}
	if (op->moved)
		stamp_set(&f->inlet.channel->stamp->mtime, stamp_clock(f->inlet.channel->stamp));
	if (op->moved < op->zeros + op->len && n == -EAGAIN && !op->nonblock)
		return false;
	*result = op->moved == op->zeros + op->len || feed_written(op) > 0 ? feed_written(op) : n;
	return true;
}

/* Returns true once @op is answered. */
static bool feed_advance(struct feed *f, struct feed_op *op)
{
	ssize_t n = -EAGAIN;

	switch (op->kind) {
	case FEED_WRITE:
		if (!feed_write(f, op, &n))
			return false;
		break;
	case FEED_READ:
		n = sys.read(f->inlet.fd, op->buf, op->len);
		if (n == -EAGAIN && !op->nonblock)
			return false;
		break;
	case FEED_POLL:
		n = feed_revents(f) & op->events;
		if (n == 0)
			return false;
		break;
	}
	op->done(op, n);
	return true;
}

static void feed_wait_more(struct feed *f)
{
	uint32_t events = 0;
	struct feed_op *op;

	TAILQ_FOREACH(op, &f->ops, entry)
		events |= op->kind == FEED_WRITE ? POLLOUT : op->kind == FEED_READ ? POLLIN : (uint32_t)op->events;
	loop_io_cancel(&f->io);
	if (events)
		loop_io_poll(&f->io, f->inlet.fd, events);
}

static void feed_ready(struct loop_io *io, int res)
{
	struct feed *f = container_of(io, struct feed, io);
	struct feed_op *op, *next;

	for (op = TAILQ_FIRST(&f->ops); op; op = next) {
		next = TAILQ_NEXT(op, entry);
		TAILQ_REMOVE(&f->ops, op, entry);
		if (!feed_advance(f, op)) {
			if (next)
				TAILQ_INSERT_BEFORE(next, op, entry);
			else
				TAILQ_INSERT_TAIL(&f->ops, op, entry);
		}
	}
	feed_wait_more(f);
}

void feed_submit(struct feed *f, struct feed_op *op)
{
	op->moved = 0;
	if (op->kind == FEED_WRITE && op->zeros + op->len > PIPE_BUF &&
	    f->inlet.channel->settings.value[SETTING_PACKETS]) {
		op->done(op, -EMSGSIZE);
		return;
	}
	if (feed_advance(f, op))
		return;
	TAILQ_INSERT_TAIL(&f->ops, op, entry);
	feed_wait_more(f);
}

static void feed_end(struct feed *f, struct feed_op *op, int err)
{
	struct feed_op *parked;

	TAILQ_FOREACH(parked, &f->ops, entry)
		if (parked == op)
			break;
	if (!parked)
		return;
	TAILQ_REMOVE(&f->ops, op, entry);
	op->done(op, feed_written(op) > 0 ? feed_written(op) : err);
	feed_wait_more(f);
}

void feed_cancel(struct feed *f, struct feed_op *op)
{
	feed_end(f, op, -EINTR);
}

void feed_cancel_all(struct feed *f)
{
	while (!TAILQ_EMPTY(&f->ops))
		feed_end(f, TAILQ_FIRST(&f->ops), -ENOTCONN);
}

short feed_revents(const struct feed *f)
{
	struct pollfd p = { .fd = f->inlet.fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}
