/*
 * A tap of a broadcast is on one of two lists: its broadcast's while its reader is awaited, the channel's from when he is
 * there. What is told of an awaited one's FIFO is no more than a reason to look.
 *
 * Who looks a name up again and again, and opens nothing, has BROADCAST_AWAITED taps at most, and no more than his limits
 * allow: the oldest of his own makes room for the next. Who opens his only then finds no writer until he is awaited again; it
 * is who was let go after BROADCAST_NSEC that this may happen to as well (see the layer above, which then does that). So
 * nobody else is ever let go earlier for what one does.
 */
#include "broadcast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel-parts.h"
#include "clock.h"
#include "event.h"
#include "log.h"
#include "worker.h"

#define BROADCAST_AWAITED 1024

/* Who has looked a name up, and was not refused, needs no longer than this to open it; mostly. */
#define BROADCAST_YOUNG_NSEC (NSEC_PER_SEC / 50)

struct broadcast *broadcast_find(const struct channel *ch, uint64_t id)
{
	struct broadcast *b;

	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		if (b->id == id)
			break;
	return b;
}

/* ---- visitors ---- */

static void broadcast_forget(struct broadcast *b, struct tap *tap)
{
	TAILQ_REMOVE(&b->awaited, tap, entry);
	b->awaits--;
}

static void broadcast_let_go(struct broadcast *b, struct tap *tap)
{
	broadcast_forget(b, tap);
	tap_destroy(tap);
}

/* He is there: the tap is the channel's, and goes with him. */
static void broadcast_admit(struct broadcast *b, struct tap *tap)
{
	struct channel *ch = b->channel;
	uid_t user = tap->outlet.user;
	int err;

	broadcast_forget(b, tap);
	tap_visited(tap);
	err = channel_admit_tap(ch, tap);
	if (err < 0)
		log_user_err(user, "%s: a reader of a broadcast name gets nothing: %s", ch->label, strerror(-err));
}

/* tap->changed of one that is awaited. */
static void broadcast_visited(struct tap *tap)
{
	if (outlet_is_read(&tap->outlet))
		broadcast_admit(tap->broadcast, tap);
}

static void broadcast_arm(struct broadcast *b)
{
	const struct tap *oldest = TAILQ_FIRST(&b->awaited);
	uint64_t now = clock_nsec();

	loop_io_cancel(&b->due);
	if (oldest)
		loop_io_timer(&b->due, oldest->until > now ? oldest->until - now : 0);
}

/* Events may be lost: so who is let go is looked for first. */
static void broadcast_is_due(struct loop_io *io, int res)
{
	struct broadcast *b = container_of(io, struct broadcast, due);
	uint64_t now = clock_nsec();
	struct tap *tap;

	while ((tap = TAILQ_FIRST(&b->awaited)) && tap->until <= now) {
		if (outlet_is_read(&tap->outlet))
			broadcast_admit(b, tap);
		else
			broadcast_let_go(b, tap);
	}
	broadcast_arm(b);
}

/* Lets the oldest of the same user's go, if it is awaited for @nsec at least. Returns whether there was one. */
static bool broadcast_make_room(struct broadcast *b, const struct account *account, uint64_t nsec)
{
	uint64_t latest = clock_nsec() + BROADCAST_NSEC - nsec;
	struct tap *tap;

	TAILQ_FOREACH(tap, &b->awaited, entry)
		if (tap->visitor->account == account)
			break;
	if (!tap || tap->until > latest)
		return false;
	if (outlet_is_read(&tap->outlet))
		broadcast_admit(b, tap);
	else
		broadcast_let_go(b, tap);
	return true;
}

/* By time; mostly it is the last. */
static void broadcast_expect(struct broadcast *b, struct tap *tap)
{
	struct tap *before;

	TAILQ_FOREACH_REVERSE(before, &b->awaited, awaited_taps, entry)
	if (before->until <= tap->until)
		break;
	if (before)
		TAILQ_INSERT_AFTER(&b->awaited, before, tap, entry);
	else
		TAILQ_INSERT_HEAD(&b->awaited, tap, entry);
	b->awaits++;
	if (tap == TAILQ_FIRST(&b->awaited))
		broadcast_arm(b);
}

int channel_await(struct channel *ch, uint64_t id, struct visitor *v)
{
	struct broadcast *b = broadcast_find(ch, id);
	struct limits limits = { .account = v->account };
	struct tap *tap;
	int err;

	if (!b)
		return -ENOENT;
	limits.settings = b->settings;
	if (!b->ruled && !v->writes)
		limits.settings.value[SETTING_POLICY] = POLICY_DROP_OLD;
	if (b->awaits >= BROADCAST_AWAITED)
		broadcast_make_room(b, v->account, 0);
	do
		err = tap_create_awaited(&tap, b, v, &limits, broadcast_visited);
	while ((err == -EDQUOT || err == -EMFILE) && broadcast_make_room(b, v->account, BROADCAST_YOUNG_NSEC));
	if (err < 0)
		return err;
	broadcast_expect(b, tap);
	return 0;
}

void channel_dismiss(struct channel *ch, uint64_t visitor)
{
	struct broadcast *b;
	struct tap *tap;

	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		TAILQ_FOREACH_REVERSE(tap, &b->awaited, awaited_taps, entry) /* (mostly he has just come) */
	if (tap->id == visitor) {
		broadcast_let_go(b, tap);
		return;
	}
	channel_remove_tap(ch, visitor);
}

/* ---- broadcasts ---- */

int channel_add_broadcast(struct channel *ch, uint64_t id, const struct settings *settings, bool ruled)
{
	struct broadcast *b = calloc(1, sizeof(*b));
	int err = 0;

	if (!b)
		return -ENOMEM;
	if (ch->in < 0)
		err = channel_attach(ch);
	if (err < 0) {
		origin_watch_look(ch);
		free(b);
		return err;
	}
	b->channel = ch;
	b->id = id;
	b->settings = *settings;
	b->ruled = ruled;
	TAILQ_INIT(&b->awaited);
	loop_io_init(&b->due, ch->worker->loop, broadcast_is_due);
	TAILQ_INSERT_TAIL(&ch->broadcasts, b, entry);
	channel_pump(ch);
	return 0;
}

void broadcast_set(struct broadcast *b, enum setting_key key, uint64_t value)
{
	struct channel *ch = b->channel;
	struct tap *tap;

	b->settings.value[key] = value;
	b->ruled |= key == SETTING_POLICY;
	if (key == SETTING_SIZE || key == SETTING_DEPTH)
		b->settings.value[SETTING_LATENCY] = 0;
	TAILQ_FOREACH(tap, &b->awaited, entry)
		tap_set(tap, key, value);
	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (tap->broadcast == b) {
			tap_set(tap, key, value);
			tap->stalled = false; /* the pump finds out again */
		}
	channel_update_taps(ch);
}

void broadcast_count(struct broadcast *b, const struct tap *tap)
{
	b->bytes_out += tap->bytes_out;
	b->lost += tap->lost + (outlet_is_read(&tap->outlet) ? tap->queue.bytes : 0); /* (nobody misses what he left) */
	b->drops += tap->drops;
	if (b->channel->watched)
		event_tell(b->channel, (struct event){ EVENT_NO_READERS, .tap = b->id });
}

static void broadcast_destroy(struct broadcast *b)
{
	struct channel *ch = b->channel;
	struct tap *tap;

	while ((tap = TAILQ_FIRST(&b->awaited)))
		broadcast_let_go(b, tap);
	loop_io_cancel(&b->due);
	TAILQ_REMOVE(&ch->broadcasts, b, entry);
	ch->lost += b->lost;
	free(b);
}

void broadcasts_remove(struct channel *ch, uint64_t id)
{
	struct broadcast *b = broadcast_find(ch, id);
	struct tap *tap, *next;

	if (!b)
		return;
	for (tap = TAILQ_FIRST(&ch->taps); tap; tap = next) {
		next = TAILQ_NEXT(tap, entry);
		if (tap->broadcast == b)
			channel_drop_tap(ch, tap);
	}
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

/* ---- without a reader ---- */

bool broadcasts_wait(const struct channel *ch)
{
	const struct broadcast *b;

	if (!TAILQ_EMPTY(&ch->taps))
		return false;
	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		if (b->settings.value[SETTING_POLICY] == POLICY_BLOCK && b->settings.value[SETTING_IDLE] == IDLE_KEEP)
			return true;
	return false;
}

void broadcasts_miss(struct channel *ch, size_t bytes)
{
	struct broadcast *b;

	TAILQ_FOREACH(b, &ch->broadcasts, entry) {
		b->lost += bytes;
		b->drops++;
	}
}
