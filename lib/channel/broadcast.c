/*
 * A broadcast and the taps of its that are there, which are the channel's as well: they are on its list from when they are
 * admitted (broadcast-await.c) until the channel drops them, and then what they had is counted here.
 */
#include "broadcast-parts.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "channel-parts.h"
#include "event.h"
#include "sys.h"
#include "worker.h"

/* While a stream waits, it is looked at whether its writer does as well: so often at first, and at last. */
#define ROOM_NSEC_MIN (NSEC_PER_SEC / 50)
#define ROOM_NSEC_MAX NSEC_PER_SEC

struct broadcast *broadcast_find(const struct channel *ch, uint64_t id)
{
	struct broadcast *b;

	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		if (b->id == id)
			break;
	return b;
}

static void broadcast_room_due(struct loop_io *io, int res)
{
	channel_pump(container_of(io, struct broadcast, room)->channel);
}

int channel_add_broadcast(struct channel *ch, uint64_t id, const struct settings *settings, bool ruled)
{
	struct broadcast *b = calloc(1, sizeof(*b));
	int err = 0;

	if (!b)
		return -ENOMEM;
	TAILQ_INIT(&b->taps);
	b->stamp = stamp_create();
	if (!b->stamp)
		err = -ENOMEM;
	else if (ch->in < 0)
		err = channel_attach(ch);
	if (err < 0) {
		origin_watch_look(ch);
		stamp_put(b->stamp);
		free(b);
		return err;
	}
	b->channel = ch;
	b->id = id;
	b->settings = *settings;
	tap_latency_begin_with(&b->settings);
	b->ruled = ruled;
	loop_io_init(&b->due, ch->worker->loop, broadcast_is_due);
	loop_io_init(&b->room, ch->worker->loop, broadcast_room_due);
	TAILQ_INSERT_TAIL(&ch->broadcasts, b, entry);
	channel_pump(ch);
	return 0;
}

void broadcast_set(struct broadcast *b, enum setting_key key, uint64_t value)
{
	struct tap *tap;

	b->settings.value[key] = value;
	b->ruled |= key == SETTING_POLICY;
	if (key == SETTING_SIZE || key == SETTING_DEPTH)
		b->settings.value[SETTING_LATENCY] = 0;
	tap_latency_begin_with(&b->settings);
	for (struct visitor *v = visitors_first(&b->awaited); v; v = visitors_next(v))
		tap_set(v->tap, key, value);
	TAILQ_FOREACH(tap, &b->taps, of_broadcast) {
		tap_set(tap, key, value);
		tap->stalled = false; /* the pump finds out again */
	}
	channel_update_taps(b->channel);
}

void broadcast_came(struct tap *tap)
{
	TAILQ_INSERT_TAIL(&tap->broadcast->taps, tap, of_broadcast);
}

void broadcast_begins(struct tap *tap)
{
	if (tap->broadcast->flushed <= tap->channel->position)
		return;
	tap->seek = TAP_FLUSHED;
	tap->flushed = tap->broadcast->flushed;
}

/* Of the last @bytes that came to @tap, which is none of the channel's any more: what came before every other tap did. */
static uint64_t broadcast_alone(const struct tap *tap, uint64_t bytes)
{
	const struct channel *ch = tap->channel;
	uint64_t to = ch->bytes_in, own = to - tap->since, from = to - (bytes < own ? bytes : own);
	const struct tap *other;

	TAILQ_FOREACH(other, &ch->taps, entry) {
		if (to <= from)
			break;
		to = other->since < to ? other->since : to;
	}
	return to > from ? to - from : 0;
}

/* Its reader has left, and nobody misses what others have as well; the rest nobody has. */
static void broadcast_lose_rest(struct tap *tap)
{
	size_t unread = outlet_waiting(&tap->outlet);
	uint64_t lost = broadcast_alone(tap, tap->queue.bytes + unread);

	unread = lost < unread ? (size_t)lost : unread;
	tap->bytes_out -= unread < tap->bytes_out ? unread : tap->bytes_out;
	tap_lose(tap, (size_t)lost);
}

void broadcast_left(struct tap *tap)
{
	struct broadcast *b = tap->broadcast;

	TAILQ_REMOVE(&b->taps, tap, of_broadcast);
	if (outlet_is_read(&tap->outlet)) /* what is in his FIFO is his */
		tap_lose(tap, tap->queue.bytes);
	else
		broadcast_lose_rest(tap);
	b->bytes_out += tap->bytes_out;
	b->lost += tap->lost;
	b->drops += tap->drops;
	if (b->channel->watched)
		event_tell(b->channel, (struct event){ EVENT_NO_READERS, .tap = b->id });
}

static void broadcast_destroy(struct broadcast *b)
{
	struct channel *ch = b->channel;
	struct visitor *v;

	while ((v = visitors_first(&b->awaited)))
		broadcast_let_go(b, v);
	loop_io_cancel(&b->due);
	loop_io_cancel(&b->room);
	TAILQ_REMOVE(&ch->broadcasts, b, entry);
	ch->lost += b->lost;
	stamp_put(b->stamp);
	free(b);
}

void broadcasts_remove(struct channel *ch, uint64_t id)
{
	struct broadcast *b = broadcast_find(ch, id);
	struct tap *tap;

	if (!b)
		return;
	while ((tap = TAILQ_FIRST(&b->taps)))
		channel_drop_tap(ch, tap);
	broadcast_destroy(b);
	channel_tap_gone(ch);
	channel_pump(ch);
}

void broadcasts_destroy(struct channel *ch)
{
	struct broadcast *b;

	while ((b = TAILQ_FIRST(&ch->broadcasts)))
		broadcast_destroy(b);
}

void broadcasts_dismiss(struct channel *ch)
{
	struct tap *tap, *next;

	for (tap = TAILQ_FIRST(&ch->taps); tap; tap = next) {
		next = TAILQ_NEXT(tap, entry);
		if (outlet_single_left(&tap->outlet))
			channel_drop_tap(ch, tap);
		else if (ch->position)
			break;
	}
}

/* ---- without a reader ---- */

struct broadcast *broadcast_holder(const struct channel *ch)
{
	struct broadcast *b;

	if (!TAILQ_EMPTY(&ch->taps))
		return NULL;
	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		if (b->settings.value[SETTING_POLICY] == POLICY_BLOCK && b->settings.value[SETTING_IDLE] == IDLE_KEEP &&
		    b->flushed <= ch->position)
			break;
	return b;
}

/* Nothing tells that a writer waits, or may go on since somebody else reads: so it is looked for, ever less often. */
void broadcast_note_wait(struct broadcast *b)
{
	const struct channel *ch = b->channel;
	uint64_t now = clock_nsec(), since;

	if (!b->waits_nsec || b->waits_at != ch->bytes_in) {
		b->waits_nsec = now;
		b->waits_at = ch->bytes_in;
		b->blocks_nsec = 0;
	}
	if (!channel_ring_full(ch))
		b->blocks_nsec = 0;
	else if (!b->blocks_nsec)
		b->blocks_nsec = now;
	since = now - b->waits_nsec;
	loop_io_timer(&b->room, since < ROOM_NSEC_MIN ? ROOM_NSEC_MIN : since > ROOM_NSEC_MAX ? ROOM_NSEC_MAX : since);
}

void broadcasts_begin(struct channel *ch)
{
	struct broadcast *b;

	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		b->flushed = 0;
}

void broadcast_flush(struct broadcast *b)
{
	const struct channel *ch = b->channel;
	int waiting = ch->over ? 0 : sys.waiting(ch->in);

	b->flushed = ch->position + (waiting > 0 ? (size_t)waiting : 0);
}

bool broadcasts_pass(const struct channel *ch)
{
	const struct broadcast *b;
	bool passes = false;

	if (!TAILQ_EMPTY(&ch->taps) || broadcast_holder(ch))
		return false;
	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		passes |= b->flushed > ch->position;
	return passes;
}

void broadcasts_miss(struct channel *ch, size_t bytes)
{
	struct broadcast *b;

	TAILQ_FOREACH(b, &ch->broadcasts, entry) {
		stamp_set(&b->stamp->mtime, ch->now);
		b->lost += bytes;
		b->drops++;
	}
}
