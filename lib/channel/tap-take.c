/*
 * How a tap takes chunks: straight into its FIFO, into its queue, or not, as the policy says. What is dropped is always
 * whole chunks, and counted. What is in the FIFO already is the reader's, and never taken back for newer bytes.
 */
#include "tap-parts.h"

#include <errno.h>
#include <string.h>

#include "channel.h"
#include "clock.h"
#include "worker.h"
#include "log.h"
#include "sys.h"

/* Whether a reader has taken something is looked at once a second, for asking costs a system call. */
#define LOOK_NSEC NSEC_PER_SEC

void tap_gave(struct tap *tap, size_t bytes, uint64_t now)
{
	uint64_t read;

	tap->bytes_out += bytes;
	tap_came(tap, now);
	if (!tap->stamp || now - tap->looked < LOOK_NSEC)
		return;
	tap->looked = now;
	read = tap->bytes_out - outlet_waiting(&tap->outlet);
	if (read != tap->read)
		tap_was_read(tap, now);
	tap->read = read;
}

int tap_do_without(struct tap *tap)
{
	struct queue *q = &tap->queue;
	ssize_t n = 1;

	while (tap->settings.value[SETTING_POLICY] == POLICY_DROP_OLD && !q->spare && n > 0) {
		n = queue_drop(q, tap->channel->worker->null);
		tap_lose(tap, n > 0 ? (size_t)n : 0);
	}
	return q->spare ? queue_reserve(q) : PIPE_SIZE;
}

/* Whether a chunk of @len may come in; by the policy, older ones make room for it. */
static bool tap_make_room(struct tap *tap, size_t len)
{
	struct queue *q = &tap->queue;
	ssize_t n = 0;

	if (!q->spare) /* (one that comes free here may be smaller than the chunk) */
		return false;
	switch (tap->settings.value[SETTING_POLICY]) {
	case POLICY_DROP_NEW:
		return !tap_full(tap);
	case POLICY_DROP_OLD:
		while (q->bytes + len > tap_depth(tap) || queue_full(q, tap_depth(tap))) {
			n = queue_drop(q, tap->channel->worker->null);
			if (n <= 0)
				break;
			tap_lose(tap, (size_t)n);
		}
		return n >= 0;
	}
	return true;
}

/* Into the FIFO, where nothing waits before it. Returns the bytes taken. */
static size_t tap_take_direct(struct tap *tap, const struct chunk *chunk)
{
	struct outlet *o = &tap->outlet;
	ssize_t n;

	if (tap->queue.bytes || o->unread || tap->rate_limit.rate)
		return 0;
	n = chunk_copy(chunk, 0, o->fd);
	if (n == -EPIPE)
		o->unread = true;
	if (n < 0)
		return 0;
	tap_gave(tap, (size_t)n, tap->channel->now);
	return (size_t)n;
}

void tap_take(struct tap *tap, const struct chunk *chunk)
{
	size_t n = tap->queue.spare ? tap_take_direct(tap, chunk) : 0; /* what does not fit goes into the spare pipe */
	size_t left, queued;
	int err;

	if (n == chunk->len)
		return;
	if (tap_discard(tap) || (n == 0 && !tap_make_room(tap, chunk->len))) {
		tap_lose(tap, chunk->len - n);
		return;
	}
	left = chunk->len - n;
	queued = tap->queue.bytes;
	err = queue_append(&tap->queue, chunk, n);
	tap_came(tap, tap->channel->now);
	if (err < 0) {
		left -= tap->queue.bytes - queued; /* a part of it went well */
		tap_lose(tap, left);
		log_user_err(tap->channel->user, "%s: a tap lost %zu bytes: %s", tap->channel->label, left,
			     pipe_error(err));
	}
	tap_want_more(tap);
}

ssize_t tap_move(struct tap *tap, int fd, size_t waiting)
{
	struct outlet *o = &tap->outlet;
	ssize_t n = -EAGAIN;

	if (!tap->queue.bytes && !o->unread && !tap->rate_limit.rate) {
		n = sys.splice(fd, o->fd, 1 << 30);
		if (n == -EPIPE)
			o->unread = true;
		if (n > 0) {
			tap_gave(tap, (size_t)n, tap->channel->now);
			return n;
		}
		if (n == -EAGAIN && tap_blocks(tap) && tap_depth(tap) <= PIPE_SIZE) {
			tap->stalled = true;
			outlet_want_room(o);
			return n;
		}
	}
	if (tap_discard(tap) || !tap_make_room(tap, waiting))
		return 0;
	n = queue_move(&tap->queue, fd);
	tap_came(tap, tap->channel->now);
	tap_want_more(tap);
	return n;
}
