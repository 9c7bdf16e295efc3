/*
 * A tap of a broadcast is its visitor's alone while he is awaited, and one of the channel's from when he is
 * there. What is told of an awaited one's FIFO is no more than a reason to look.
 *
 * Who looks a name up again and again, and opens nothing, has BROADCAST_AWAITED taps at most, and no more than his limits
 * allow: the oldest of his own makes room for the next. Who opens his only then finds no writer until he is awaited again; it
 * is who was let go after BROADCAST_NSEC that this may happen to as well (see the layer above, which then does that). So
 * nobody else is ever let go earlier for what one does.
 */
#include "broadcast-parts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base.h"
#include "channel-parts.h"
#include "log.h"

#define BROADCAST_AWAITED 1024

/* So many are looked for by one system call. */
#define BROADCAST_LOOK 64

/* Who has looked a name up, and was not refused, needs no longer than this to open it; mostly. */
#define BROADCAST_YOUNG_NSEC (NSEC_PER_SEC / 50)

void broadcast_let_go(struct broadcast *b, struct visitor *v)
{
	visitors_remove(&b->awaited, v);
	tap_destroy(v->tap);
}

/* He is there: the tap is the channel's, and goes with him. */
static void broadcast_admit(struct broadcast *b, struct visitor *v)
{
	struct channel *ch = b->channel;
	uid_t user = v->tap->outlet.user;
	int err;

	visitors_remove(&b->awaited, v);
	tap_visited(v->tap);
	err = channel_admit_tap(ch, v->tap);
	if (err < 0)
		log_user_err(user, "%s: a reader of a broadcast name gets nothing: %s", ch->label, strerror(-err));
}

/* tap->changed of one that is awaited. */
static void broadcast_visited(struct tap *tap)
{
	struct channel *ch = tap->channel;

	if (!outlet_is_read(&tap->outlet))
		return;
	broadcast_admit(tap->broadcast, tap->visitor);
	channel_pump(ch);
}

/* His time is over, but events may be lost: so he is looked for first. */
static void broadcast_dispose(struct broadcast *b, struct visitor *v)
{
	if (outlet_is_read(&v->tap->outlet))
		broadcast_admit(b, v);
	else
		broadcast_let_go(b, v);
}

static void broadcast_arm(struct broadcast *b)
{
	const struct visitor *first = visitors_first(&b->awaited);
	uint64_t now = clock_nsec();

	loop_io_cancel(&b->due);
	if (first)
		loop_io_timer(&b->due, first->until > now ? first->until - now : 0);
}

void broadcast_is_due(struct loop_io *io, int res)
{
	struct broadcast *b = container_of(io, struct broadcast, due);
	uint64_t now = clock_nsec();
	struct visitor *v;

	while ((v = visitors_first(&b->awaited)) && v->until <= now)
		broadcast_dispose(b, v);
	broadcast_arm(b);
	channel_pump(b->channel);
}

/* Admits those of the next BROADCAST_LOOK from @v on who are there. Returns who comes after them. */
static struct visitor *broadcast_admit_some(struct broadcast *b, struct visitor *v)
{
	struct visitor *looked_at[BROADCAST_LOOK];
	struct pollfd fds[BROADCAST_LOOK];
	nfds_t n = 0;

	for (; v && n < BROADCAST_LOOK; v = visitors_next(v), n++) {
		looked_at[n] = v;
		fds[n] = (struct pollfd){ .fd = v->tap->outlet.fd };
	}
	if (poll(fds, n, 0) < 0)
		return v;
	for (nfds_t i = 0; i < n; i++)
		if (!(fds[i].revents & POLLERR))
			broadcast_admit(b, looked_at[i]);
	return v;
}

bool broadcasts_await(const struct channel *ch)
{
	struct broadcast *b;

	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		if (visitors_first(&b->awaited))
			return true;
	return false;
}

void broadcasts_admit(struct channel *ch)
{
	struct broadcast *b;

	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		for (struct visitor *v = visitors_first(&b->awaited); v;)
			v = broadcast_admit_some(b, v);
}

/*
 * Lets the oldest of the same user's go, if it is awaited for @nsec at least. Returns whether there was one. For who is made
 * ahead none is: it may have been looked up by now, and be about to be opened.
 */
static bool broadcast_make_room(struct broadcast *b, const struct visitor *for_whom, uint64_t nsec)
{
	uint64_t latest = clock_nsec() + BROADCAST_NSEC - nsec;
	struct visitor *v = for_whom->ahead ? NULL : visitors_first_of(&b->awaited, for_whom->account);

	if (!v || v->until > latest)
		return false;
	broadcast_dispose(b, v);
	channel_pump(b->channel);
	return true;
}

/* Returns 0, or -ENOMEM: nobody is told. */
static int broadcast_expect(struct broadcast *b, struct visitor *v)
{
	int err;

	v->until = clock_nsec() + (v->again ? BROADCAST_AGAIN_NSEC : BROADCAST_NSEC);
	err = visitors_add(&b->awaited, v);
	if (err < 0) {
		v->tap->visitor = NULL;
		tap_destroy(v->tap);
		v->tap = NULL;
		return err;
	}
	if (v == visitors_first(&b->awaited))
		broadcast_arm(b);
	return 0;
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
	if (visitors_count(&b->awaited, v->account) >= BROADCAST_AWAITED && !broadcast_make_room(b, v, 0))
		return -EDQUOT;
	do
		err = tap_create_awaited(&tap, b, v, &limits, broadcast_visited);
	while ((err == -EDQUOT || err == -EMFILE) && broadcast_make_room(b, v, BROADCAST_YOUNG_NSEC));
	return err < 0 ? err : broadcast_expect(b, v);
}

void channel_dismiss(struct channel *ch, struct visitor *v)
{
	struct tap *tap = v->tap;

	if (!tap)
		return;
	if (v->party) {
		broadcast_let_go(tap->broadcast, v);
		return;
	}
	channel_drop_tap(ch, tap);
	channel_pump(ch);
}
