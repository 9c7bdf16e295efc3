/*
 * How a tap takes chunks: straight into its FIFO, into its queue, or not, as the policy says. What is dropped is always
 * whole chunks, and counted. What is in the FIFO already is the reader's, and never taken back for newer bytes.
 *
 * What is dropped ends where a record (record.h) does, and begins where one does: so of the first chunk that is refused
 * the rest of a record is taken, and of the first that is taken again the rest of one is left out (tap->seek).
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

static void tap_look_read(struct tap *tap, uint64_t now)
{
	uint64_t read, since = tap->read, looked = tap->looked;

	tap->looked = now;
	if (!tap->stamp && !tap->settings.value[SETTING_LATENCY])
		return;
	read = tap->bytes_out - outlet_waiting(&tap->outlet);
	tap->read = read;
	if (read != since)
		tap_was_read(tap, now);
	if (tap->settings.value[SETTING_LATENCY] && read > since)
		tap_latency_look(tap, read - since, now - looked);
}

void tap_gave(struct tap *tap, size_t bytes, uint64_t now)
{
	tap->bytes_out += bytes;
	tap_came(tap, now);
	if (now - tap->looked >= LOOK_NSEC)
		tap_look_read(tap, now);
}

/* Returns what queue_drop() does. */
static ssize_t tap_drop_oldest(struct tap *tap)
{
	struct channel *ch = tap->channel;
	ssize_t n = queue_drop(&tap->queue, ch->worker->null);

	tap_lose(tap, n > 0 ? (size_t)n : 0);
	tap->from += n > 0 ? (size_t)n : 0;
	if (n > 0 && !chunk_bounds_oldest(&tap->queue.bounds))
		tap->seek = TAP_RESUMES;
	return n;
}

int tap_do_without(struct tap *tap)
{
	struct queue *q = &tap->queue;
	ssize_t n = 1;

	while (tap->settings.value[SETTING_POLICY] == POLICY_DROP_OLD && !q->spare && n > 0)
		n = tap_drop_oldest(tap);
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
			n = tap_drop_oldest(tap);
			if (n <= 0)
				break;
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

	if (tap->seek || tap_owes(tap) || tap->queue.bytes || o->unread || tap->rate_limit.rate)
		return 0;
	n = chunk_copy(chunk, 0, o->fd);
	if (n == -EPIPE)
		o->unread = true;
	if (n < 0)
		return 0;
	tap->owes = false;
	tap_gave(tap, (size_t)n, tap->channel->now);
	return (size_t)n;
}

/* Returns 0 or, logged, a negative errno. */
static int tap_queue(struct tap *tap, const struct chunk *chunk, size_t begun, size_t from)
{
	size_t left = chunk->len - begun - from, queued = tap->queue.bytes;
	int err = from ? queue_append_from(&tap->queue, chunk, from) : queue_append(&tap->queue, chunk, begun);

	tap_came(tap, tap->channel->now);
	if (err < 0) {
		left -= tap->queue.bytes - queued; /* a part of it went well */
		tap_lose(tap, left);
		log_user_err(tap->channel->user, "%s: a tap lost %zu bytes: %s", tap->channel->label, left,
			     pipe_error(err));
	}
	return err;
}

/* The bytes of @chunk up to its first boundary; all, where it has none. */
static size_t tap_ahead(const struct tap *tap, const struct chunk *chunk)
{
	ssize_t n = chunk->start.loose ? record_next(RECORD_LINE, 1, chunk) : (ssize_t)chunk->start.ahead;

	return n < 0 || (size_t)n > chunk->len ? chunk->len : (size_t)n;
}

/*
 * Drops the chunk, of which @begun bytes are with the reader; but a record that has begun is ended, unless that takes more
 * than is kept ready for a chunk.
 */
static void tap_refuse(struct tap *tap, const struct chunk *chunk, size_t begun)
{
	struct chunk rest = *chunk;

	if (tap->seek || begun || !tap->queue.spare)
		rest.len = 0;
	else
		rest.len = tap_ahead(tap, chunk);
	if (tap->queue.bytes + rest.len > tap_depth(tap) + 2ul * PIPE_SIZE)
		rest.len = 0;
	if (rest.len && tap_queue(tap, &rest, 0, 0) == 0)
		tap_want_more(tap);
	if (rest.len == chunk->len)
		return;
	tap_lose(tap, chunk->len - begun - rest.len);
	tap->seek = TAP_RESUMES;
}

void tap_empty(struct tap *tap)
{
	struct channel *ch = tap->channel;
	size_t n = outlet_discard(&tap->outlet, ch->worker->null);
	int waiting = ch->in >= 0 && !ch->over ? sys.waiting(ch->in) : 0;

	tap->bytes_out -= n < tap->bytes_out ? n : tap->bytes_out;
	tap_lose(tap, tap->queue.bytes + n);
	queue_clear(&tap->queue);
	tap->owes |= !tap->bytes_out; /* and nobody has had the prologue */
	tap->replayed = tap->replay_pipes = 0;
	tap->stalled = false;
	tap->seek = waiting > 0 ? TAP_FLUSHED : TAP_RESUMES;
	tap->flushed = ch->position + (waiting > 0 ? (size_t)waiting : 0);
	tap_discharge(tap);
}

/* Whether the chunk had been written, in whole or in part, before the tap was emptied. */
static bool tap_passes(struct tap *tap, const struct chunk *chunk)
{
	if (tap->channel->position - chunk->len < tap->flushed) {
		tap_lose(tap, chunk->len);
		return true;
	}
	tap->seek = chunk->start.ahead || chunk->start.loose ? TAP_RESUMES : TAP_FLOWS;
	return false;
}

/* What comes begins at a boundary. */
static void tap_found(struct tap *tap)
{
	if (tap->seek != TAP_FLUSHED)
		tap->seek = TAP_FLOWS;
}

/* The bytes of @chunk that are left out up to the boundary that is sought, perhaps all. */
static size_t tap_leave_out(struct tap *tap, const struct chunk *chunk)
{
	size_t n = tap->sought < RECORD_LINE_MAX || !chunk->start.loose ? tap_ahead(tap, chunk) : 0;

	if (tap->seek == TAP_BEGINS)
		tap->skipped += n;
	else
		tap->lost += n;
	tap->sought = n < chunk->len ? 0 : tap->sought + n;
	if (n < chunk->len)
		tap->seek = TAP_FLOWS;
	return n;
}

void tap_take(struct tap *tap, const struct chunk *chunk)
{
	size_t n = 0, from = 0;

	if (!chunk->start.ahead && !chunk->start.loose)
		tap_found(tap);
	if (tap->queue.spare) /* what does not fit goes into the spare pipe */
		n = tap_take_direct(tap, chunk);
	if (n == chunk->len)
		return;
	if (tap->seek == TAP_FLUSHED && tap_passes(tap, chunk))
		return;
	if (!tap->queue.bytes)
		tap->from = tap->channel->position - chunk->len;
	if (tap_discard(tap) || (n == 0 && !tap_make_room(tap, chunk->len))) {
		tap_refuse(tap, chunk, n);
		return;
	}
	if (tap->seek)
		from = tap_leave_out(tap, chunk);
	if (!tap->queue.bytes)
		tap->from += from;
	if (from == chunk->len)
		return;
	tap_queue(tap, chunk, n, from);
	tap_want_more(tap);
}

ssize_t tap_move(struct tap *tap, int fd, size_t waiting, struct chunk_start start)
{
	struct outlet *o = &tap->outlet;
	ssize_t n = -EAGAIN;

	if (!start.ahead && !start.loose)
		tap_found(tap);
	if (!tap->seek && !tap_owes(tap) && !tap->queue.bytes && !o->unread && !tap->rate_limit.rate) {
		n = sys.splice(fd, o->fd, 1 << 30);
		if (n == -EPIPE)
			o->unread = true;
		if (n > 0) {
			tap->owes = false;
			tap_gave(tap, (size_t)n, tap->channel->now);
			return n;
		}
		if (n == -EAGAIN && tap_blocks(tap) && tap_depth(tap) <= PIPE_SIZE) {
			tap->stalled = true;
			outlet_want_room(o);
			return n;
		}
	}
	if (tap_discard(tap) || !tap_make_room(tap, waiting) || tap->seek)
		return 0;
	if (!tap->queue.bytes)
		tap->from = tap->channel->position;
	n = queue_move(&tap->queue, fd, start);
	tap_came(tap, tap->channel->now);
	tap_want_more(tap);
	return n;
}
