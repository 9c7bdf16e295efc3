/*
 * How a tap gives what it has: the outlet is filled from the queue's head, at the rate that was set, until it is full or
 * nobody reads. A stream's end is shown once the queue is empty, and only once (delivered). What a sink has in hand and
 * may give back (held) counts as queued.
 */
#include "tap-parts.h"

#include <errno.h>

#include "base.h"
#include "channel.h"
#include "clock.h"
#include "log.h"
#include "pipe.h"
#include "worker.h"

/* The kernel refuses what it should not: try again after this. */
#define RETRY_NSEC (NSEC_PER_SEC / 10)

/* A wait that began within that time is told as one with the latest. */
#define BLOCK_NSEC (NSEC_PER_SEC / 20)

void tap_want_more(struct tap *tap)
{
	uint64_t wait = tap->queue.bytes ? rate_limit_wait(&tap->rate_limit) : 0;

	if (wait)
		loop_io_timer(&tap->due, wait);
	else if (tap->queue.bytes)
		outlet_want_room(&tap->outlet);
}

/*
 * It is the same wait while nothing is read, though a reader may have come and gone, and more has been taken while he was
 * there. What waits in the FIFO costs a system call: it is not asked for where the wait before is as good as new.
 */
void tap_note_block(struct tap *tap)
{
	uint64_t at = tap->bytes_out + tap->lost, read = at, now;

	if (tap->blocks_nsec && tap->blocks_at == at)
		return;
	now = clock_nsec();
	if (now - tap->blocks_nsec >= BLOCK_NSEC)
		read -= outlet_waiting(&tap->outlet);
	else
		read = UINT64_MAX;
	if (!tap->blocks_nsec || tap->blocks_read == UINT64_MAX || read > tap->blocks_read) {
		tap->blocks_nsec = now;
		tap->blocks_read = read;
	}
	tap->blocks_at = at;
}

void tap_lose(struct tap *tap, size_t bytes)
{
	tap->lost += bytes;
	tap->drops += bytes > 0;
}

bool tap_discard(struct tap *tap)
{
	struct outlet *o = &tap->outlet;
	size_t n;

	if (!tap_discards(tap) || o->state != OUTLET_HOLDING || !o->unread)
		return false;
	/* Who has come is told of by inotify, perhaps later than what was written for him is here. */
	o->unread = !outlet_is_read(o);
	if (!o->unread)
		return false;
	n = outlet_discard(o, tap->channel->worker->null);
	tap->bytes_out -= n;
	tap_lose(tap, tap->queue.bytes + n);
	queue_clear(&tap->queue);
	tap->seek = TAP_RESUMES;
	return true;
}

/* Moves what the rate limit allows: whole messages where there are messages. */
static int tap_drain(struct tap *tap, size_t *moved)
{
	bool packets = tap->channel->settings.value[SETTING_PACKETS];
	size_t limit = tap->rate_limit.rate ? rate_limit_step(&tap->rate_limit) : SIZE_MAX;
	int err = 0;

	if (!packets || !tap->rate_limit.rate)
		return queue_drain(&tap->queue, tap->outlet.fd, limit, moved);
	while (err == 0 && *moved < limit && tap->queue.bytes) {
		size_t packet = worker_first_packet(tap->channel->worker, &tap->queue);

		err = packet ? queue_drain(&tap->queue, tap->outlet.fd, *moved + packet, moved) : -EIO;
	}
	return err;
}

void tap_starve(struct tap *tap, int err)
{
	if (!tap->starved)
		log_user_err(tap->channel->user, "%s: draining a tap: %s", tap->channel->label, pipe_error(err));
	tap->starved = true;
	loop_io_timer(&tap->due, RETRY_NSEC);
}

static void tap_flush(struct tap *tap)
{
	struct outlet *o = &tap->outlet;
	size_t moved = 0;
	int err;

	if (rate_limit_wait(&tap->rate_limit)) {
		tap_want_more(tap);
		return;
	}
	err = tap_drain(tap, &moved);
	if (moved)
		tap_gave(tap, moved, stamp_clock(tap->channel->stamp));
	tap->starved &= !moved;
	rate_limit_moved(&tap->rate_limit, moved);
	if (tap->replayed && tap->queue.bytes <= tap->settings.value[SETTING_DEPTH]) {
		tap->replayed = tap->replay_pipes = 0;
		tap_discharge(tap);
	}
	if (err == -EPIPE)
		o->unread = true;
	else if (err == 0 || err == -EAGAIN)
		tap_want_more(tap);
	else
		tap_starve(tap, err);
}

void tap_forsake(struct tap *tap)
{
	tap->keeps = TAP_LEFT;
	outlet_attend(&tap->outlet, true);
	tap_look(tap);
}

/*
 * Its reader has left, or somebody reads it again. The outlet's own word for that is a guess until something is written; and a
 * sink's descriptor may be held by a request for a moment after it was closed.
 */
static void tap_look_forsaken(struct tap *tap)
{
	bool is_read;

	if (tap->keeps == TAP_KEEPS || tap->outlet.state != OUTLET_HOLDING)
		return;
	is_read = outlet_is_read(&tap->outlet);
	if (!is_read) {
		tap->keeps = TAP_FORSAKEN;
	} else if (tap->keeps == TAP_FORSAKEN) {
		tap->keeps = TAP_KEEPS;
		outlet_attend(&tap->outlet, tap_discards(tap));
	}
}

bool tap_update(struct tap *tap)
{
	struct outlet *o = &tap->outlet;

	tap_look_forsaken(tap);
	if (tap->wants)
		tap_latency_fit(tap);
	if (tap->owes && o->state == OUTLET_HOLDING) {
		int err = tap_greet(tap);

		if (err < 0) {
			tap_starve(tap, err);
			return false;
		}
	}
	if (tap->queue.bytes && o->state == OUTLET_HOLDING && !o->unread)
		tap_flush(tap);
	if (o->single && o->unread)
		return true;
	if (tap_discard(tap) && tap->channel->over && !tap->delivered) {
		outlet_abandon(o);
		tap->delivered = true;
	}
	if (tap->queue.bytes || tap->held || !tap->channel->over || tap->delivered)
		return false;
	if (o->single) /* nobody else comes to it: what he has not read yet is his, and then the end */
		outlet_single_part(o, tap->channel->worker);
	if (o->single || outlet_settle(o, tap->channel->dead)) {
		tap->delivered = true;
		tap_was_read(tap, stamp_clock(tap->channel->stamp));
		queue_rest(&tap->queue);
	}
	return outlet_spent(o);
}

int tap_recall(struct tap *tap, int rd)
{
	int err = outlet_hold(&tap->outlet);
	ssize_t n;

	if (err < 0)
		return err;
	tap->delivered = false;
	n = outlet_waiting(&tap->outlet) ? queue_take_back(&tap->queue, rd, (size_t)outlet_size(&tap->outlet)) : 0;
	if (n < 0)
		return (int)n;
	tap->bytes_out -= (uint64_t)n;
	return 0;
}
