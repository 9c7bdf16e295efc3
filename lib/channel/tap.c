/*
 * A tap from its making to its end. What it has is in the queue, or behind it in the outlet, and in that order: the
 * outlet is filled from the queue's head, or straight from a chunk while the queue is empty.
 *
 * A stream's end is shown once the queue is empty, and only once (delivered). What a sink has in hand and may give
 * back (held) counts as queued.
 */
#include "tap-parts.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "broadcast.h"
#include "channel.h"
#include "clock.h"
#include "worker.h"
#include "log.h"
#include "pipe.h"
#include "sys.h"

/* The kernel refuses what it should not: try again after this. */
#define RETRY_NSEC (NSEC_PER_SEC / 10)

/* A wait that began within that time is told as one with the latest. */
#define BLOCK_NSEC (NSEC_PER_SEC / 20)

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

void tap_want_more(struct tap *tap)
{
	uint64_t wait = tap->queue.bytes ? rate_limit_wait(&tap->rate_limit) : 0;

	if (wait)
		loop_io_timer(&tap->due, wait);
	else if (tap->queue.bytes)
		outlet_want_room(&tap->outlet);
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
	tap->charge.account = tap->descriptors.account = limits->account;
	tap->descriptors.of = ACCOUNT_DESCRIPTORS;
	tap->replay_pipes = ch->replay.queue.count;
	tap->rate_limit.rate = limits->settings.value[SETTING_RATE];
	tap->delivered = true;
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
	err = outlet_init_single(&tap->outlet, &fifo, ch->worker, tap_outlet_changed);
	if (err < 0) {
		tap_free(tap);
		return err;
	}
	tap->outlet.user = visitor->account ? visitor->account->uid : ch->user;
	tap->broadcast = b;
	tap->visitor = visitor;
	tap->until = clock_nsec() + (visitor->again ? BROADCAST_AGAIN_NSEC : BROADCAST_NSEC);
	*out = tap;
	return 0;
}

void tap_visited(struct tap *tap)
{
	struct outlet *o = &tap->outlet;

	outlet_unwatch(o);
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
	if (visitor)
		visitor->gone(visitor);
}

int tap_begin_with(struct tap *tap, const struct replay *replay)
{
	struct channel *ch = tap->channel;
	size_t short_of = replay->queue.bytes, excess = replay_excess(replay);
	int err = queue_duplicate(&tap->queue, &replay->queue);

	if (err < 0)
		return err;
	short_of -= tap->queue.bytes;
	excess -= excess < short_of ? excess : short_of;
	err = queue_cut(&tap->queue, excess, channel_record(ch), ch->worker->null);
	if (err < 0)
		return err;
	tap->seek = tap->queue.bytes ? TAP_FLOWS : TAP_BEGINS;
	tap->replayed = tap->queue.bytes;
	tap->delivered = !tap->replayed;
	return tap->replayed ? outlet_hold(&tap->outlet) : 0;
}

int tap_prepare(struct tap *tap)
{
	int err = outlet_hold(&tap->outlet);
	int size = err < 0 ? err : queue_reserve(&tap->queue);

	return err < 0 || size >= 0 || tap_blocks(tap) ? size : tap_do_without(tap);
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
	if (!tap->blocks_nsec || read > tap->blocks_read) {
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

/* Nothing else will wake it: tries again soon, but says so once. */
static void tap_starve(struct tap *tap, int err)
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
		outlet_part(o, tap->channel->worker);
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
