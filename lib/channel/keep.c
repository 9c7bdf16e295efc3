/*
 * The daemon's own opens and closes of the origin are nobody's visit, so they stand between origin_watch_own_begin()
 * and _end(), with what inotify will say of them.
 *
 * A poll of an inlet that was just cancelled keeps the inlet's file open until the loop's next turn, and would pass for
 * a reader: nothing is concluded while that turn (channel->closed) is awaited.
 */
#include "keep.h"

#include <string.h>
#include <sys/inotify.h>

#include "base.h"
#include "channel-parts.h"
#include "worker.h"
#include "log.h"
#include "pipe.h"

/* What is reported when @o closes what it has open. */
static uint32_t keep_closing(const struct outlet *o)
{
	return o->state == OUTLET_IDLE ? 0 : o->state == OUTLET_HOLDING ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE;
}

/* Who looks the origin up is told of the daemon's read end on it, so that it is not taken for a reader. */
static void keep_note(struct channel *ch)
{
	ch->ending = ch->keeping && ch->keep.state == OUTLET_ENDING;
}

/* Returns whether the end of the stream has been delivered. */
static bool keep_settle(struct channel *ch)
{
	enum outlet_state before = ch->keep.state;
	uint32_t own = IN_OPEN | keep_closing(&ch->keep);
	bool settled;

	ch->ending = true; /* before the reader can have seen the end */
	origin_watch_own_begin(ch);
	settled = outlet_settle(&ch->keep, false);
	if (before == OUTLET_ENDING && ch->keep.state == OUTLET_IDLE) /* perhaps by way of HOLDING */
		own |= IN_CLOSE_WRITE;
	origin_watch_own_end(ch, before == OUTLET_HOLDING && ch->keep.state == before ? 0 : own);
	keep_note(ch);
	return settled;
}

static void keep_changed(struct outlet *o)
{
	struct channel *ch = container_of(o, struct channel, keep);

	if (!TAILQ_EMPTY(&ch->inlets) || loop_io_armed(&ch->closed))
		return;
	if (keep_settle(ch) || (o->state == OUTLET_HOLDING && outlet_waiting(o) == 0 && !ch->end_due))
		keep_end(ch);
}

void keep_begin(struct channel *ch)
{
	int err = 0;

	if (ch->relays || channel_is_teed(ch) || !TAILQ_EMPTY(&ch->inlets))
		return; /* (a relay's bytes are kept by its tap) */
	if (!ch->keeping) {
		/* What was written is a stream that runs already. */
		err = outlet_init(&ch->keep, &ch->origin, 1, ch->worker, keep_changed);
		ch->keep.size = channel_ring_size(ch);
		ch->keep.user = ch->user;
		ch->keeping = true;
	}
	origin_watch_own_begin(ch);
	if (err == 0)
		err = outlet_hold(&ch->keep);
	origin_watch_own_end(ch, IN_OPEN | IN_CLOSE_NOWRITE);
	keep_note(ch);
	if (err < 0) {
		log_user_err(ch->user, "%s: cannot keep what waits for a reader: %s", ch->label, pipe_error(err));
		keep_end(ch);
	}
}

void keep_end(struct channel *ch)
{
	uint32_t own = keep_closing(&ch->keep);

	origin_watch_own_begin(ch);
	if (ch->keeping)
		outlet_finish(&ch->keep);
	origin_watch_own_end(ch, own);
	ch->keeping = false;
	ch->end_due = false;
	keep_note(ch);
	channel_discharge(ch);
}

void keep_look(struct channel *ch)
{
	if (ch->keeping)
		keep_changed(&ch->keep);
}
