/*
 * The taps of a channel, as they come and go. The first makes the daemon the reader of the origin; without the last
 * the origin is an ordinary FIFO again.
 *
 * A tap may go in the middle of what it is told: a private one whose stream is through, or all of them as the ends of
 * the channel see their streams over. Nothing of a tap is looked at after a call that may have removed it.
 */
#include "channel-parts.h"

#include <errno.h>
#include <poll.h>

#include "base.h"
#include "broadcast.h"
#include "keep.h"
#include "monitor.h"
#include "sys.h"

/* What waits in the origin goes with the daemon's end of it, unless it has another, or a user has it open to write. */
static void channel_lose_rest(struct channel *ch)
{
	struct pollfd p = { .fd = ch->in };
	int waiting = sys.waiting(ch->in);

	if (waiting > 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLHUP))
		ch->lost += (uint64_t)waiting;
}

void channel_tap_gone(struct channel *ch)
{
	if (channel_is_teed(ch))
		return;
	channel_lose_rest(ch);
	channel_detach(ch);
	origin_watch_look_soon(ch);
	keep_look(ch);
}

void channel_drop_tap(struct channel *ch, struct tap *tap)
{
	TAILQ_REMOVE(&ch->taps, tap, entry);
	if (tap->broadcast)
		broadcast_left(tap);
	else if (tap->id < TAP_PRIVATE) /* else its port counts it */
		ch->lost += tap->lost + tap_waiting(tap);
	tap_destroy(tap);
	channel_tap_gone(ch);
}

void channel_update_taps(struct channel *ch)
{
	struct tap *tap, *next;

	for (tap = TAILQ_FIRST(&ch->taps); tap; tap = next) {
		next = TAILQ_NEXT(tap, entry);
		if (tap_update(tap))
			channel_drop_tap(ch, tap);
	}
}

const struct tap *channel_full_tap(const struct channel *ch)
{
	const struct tap *tap, *oldest = NULL;

	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (tap_holds(tap) && (!oldest || tap->blocks_nsec < oldest->blocks_nsec))
			oldest = tap;
	return oldest;
}

bool channel_held(struct channel *ch)
{
	struct tap *tap;
	bool held = false;

	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (tap_holds(tap)) {
			tap_note_block(tap);
			held = true;
		}
	return held;
}

/* tap->changed: its reader, or what it may send, has changed. */
static void channel_tap_changed(struct tap *tap)
{
	struct channel *ch = tap->channel;
	bool full = tap_full(tap);

	tap->stalled = false; /* the pump, which is called then, finds out again */
	if (tap_update(tap)) {
		channel_remove_tap(ch, tap->id);
		return;
	}
	monitor_look(ch);
	if ((full && !tap_full(tap)) || ch->starved)
		channel_pump(ch);
}

/* Takes @tap, also where it fails. */
static int channel_take_tap(struct channel *ch, struct tap *tap)
{
	int err = 0;

	if (ch->in < 0) {
		err = channel_attach(ch);
		if (err < 0) {
			origin_watch_look(ch);
			tap_destroy(tap);
			return err;
		}
	}
	channel_look_begun(ch); /* it gets that stream: not an end before it, nor, in its place, what was before */
	TAILQ_INSERT_TAIL(&ch->taps, tap, entry);
	tap->since = ch->bytes_in;
	if (tap->broadcast)
		broadcast_came(tap);
	err = tap_begin_with(tap, &ch->replay);
	if (err == 0 && !ch->over)
		err = tap_prepare(tap);
	if (err < 0) {
		queue_clear(&tap->queue); /* it was the replay's, and is no loss */
		channel_drop_tap(ch, tap);
		return err;
	}
	if (tap->broadcast)
		broadcast_begins(tap);
	tap->delivered = ch->over && !tap->replayed && !(tap->broadcast && ch->dead); /* (its reader is owed the end) */
	tap_look(tap);
	return 0;
}

int channel_admit_tap(struct channel *ch, struct tap *tap)
{
	tap->changed = channel_tap_changed;
	return channel_take_tap(ch, tap);
}

int channel_add_tap(struct channel *ch, uint64_t id, const struct limits *limits)
{
	struct tap *tap = NULL;
	int err = tap_create(&tap, ch, id, limits, channel_tap_changed);

	if (err == 0)
		err = channel_take_tap(ch, tap);
	if (err == 0)
		channel_pump(ch);
	return err;
}

int channel_add_private_tap(struct channel *ch, uint64_t *id, int *rd, const struct limits *limits)
{
	_cleanup_fd_ int end = -1;
	struct tap *tap = NULL;
	int err;

	*id = TAP_PRIVATE + ch->private_taps++;
	err = tap_create_private(&tap, ch, *id, &end, limits, channel_tap_changed);
	if (err == 0)
		err = channel_take_tap(ch, tap);
	if (err < 0)
		return err;
	channel_pump(ch);
	*rd = fd_take(&end);
	return 0;
}

struct tap *channel_find_tap(const struct channel *ch, uint64_t id)
{
	struct tap *tap;

	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (tap->id == id)
			break;
	return tap;
}

int channel_flush(struct channel *ch, uint64_t id)
{
	struct broadcast *b = id ? broadcast_find(ch, id) : NULL;
	bool found = b || !id;
	struct tap *tap;

	channel_look_begun(ch);
	if (!id)
		queue_clear(&ch->replay.queue);
	if (b)
		broadcast_flush(b);
	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (id && (tap->id == id || (b && tap->broadcast == b))) {
			tap_empty(tap);
			found = true;
		}
	channel_update_taps(ch);
	monitor_look(ch);
	channel_pump(ch);
	return found ? 0 : -ENOENT;
}

void channel_remove_tap(struct channel *ch, uint64_t id)
{
	struct tap *tap = channel_find_tap(ch, id);

	if (!tap) {
		broadcasts_remove(ch, id);
		return;
	}
	ends_name_gone(ch->ends, id);
	channel_drop_tap(ch, tap);
	channel_pump(ch);
}
