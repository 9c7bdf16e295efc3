#include "inlet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>

#include "base.h"
#include "channel-parts.h"
#include "engine.h"
#include "log.h"

int inlet_open(struct inlet *in, struct channel *ch)
{
	in->fd = fifo_open(&ch->origin, O_RDWR, 0);
	if (in->fd < 0) {
		int err = in->fd;

		in->fd = -1;
		return err;
	}
	if (ch->settings.value[SETTING_PACKETS] && fcntl(in->fd, F_SETFL, O_NONBLOCK | O_DIRECT) < 0) {
		int err = -errno;

		fd_close(&in->fd);
		return err;
	}
	in->channel = ch;
	TAILQ_INSERT_TAIL(&ch->inlets, in, entry);
	return 0;
}

void inlet_close(struct inlet *in)
{
	struct channel *ch = in->channel;

	if (in->fd < 0)
		return;
	TAILQ_REMOVE(&ch->inlets, in, entry);
	if (!ch->gone)
		keep_begin(ch);
	ch->end_due = ch->keeping && in->stream;
	fd_close(&in->fd);
	/*
	 * A poll of it that was just cancelled keeps the file open until the loop's next turn, and it would pass for
	 * a reader.
	 */
	if (ch->keeping)
		loop_io_timer(&ch->closed, 0);
}

void inlet_closed(struct loop_io *io, int res)
{
	keep_look(container_of(io, struct channel, closed));
}

/* What is reported when @o closes what it has open. */
static uint32_t closing(const struct outlet *o)
{
	return o->state == OUTLET_IDLE ? 0 : o->state == OUTLET_HOLDING ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE;
}

static bool settle(struct channel *ch)
{
	enum outlet_state before = ch->keep.state;
	uint32_t own = IN_OPEN | closing(&ch->keep);
	bool settled;

	origin_watch_own_begin(ch);
	settled = outlet_settle(&ch->keep, false);
	if (before == OUTLET_ENDING && ch->keep.state == OUTLET_ENDING) /* by way of HOLDING */
		own |= IN_CLOSE_WRITE;
	origin_watch_own_end(ch, before == OUTLET_HOLDING && ch->keep.state == before ? 0 : own);
	return settled;
}

static void changed(struct outlet *o)
{
	struct channel *ch = container_of(o, struct channel, keep);

	if (!TAILQ_EMPTY(&ch->inlets) || loop_io_armed(&ch->closed))
		return;
	if (settle(ch) || (o->state == OUTLET_HOLDING && outlet_waiting(o) == 0 && !ch->end_due))
		keep_end(ch);
}

void keep_begin(struct channel *ch)
{
	int err = 0;

	if (ch->relay || !TAILQ_EMPTY(&ch->taps) || !TAILQ_EMPTY(&ch->inlets))
		return; /* (a relay's bytes are kept by its tap) */
	if (!ch->keeping) {
		err = outlet_init(&ch->keep, &ch->origin, ch->worker->loop, &ch->worker->watcher, changed);
		ch->keep.size = channel_ring_size(ch);
		ch->keeping = true;
	}
	origin_watch_own_begin(ch);
	if (err == 0)
		err = outlet_hold(&ch->keep);
	origin_watch_own_end(ch, IN_OPEN | IN_CLOSE_NOWRITE);
	if (err < 0) {
		log_err("%s: cannot keep what waits for a reader: %s", ch->label, strerror(-err));
		keep_end(ch);
	}
}

void keep_end(struct channel *ch)
{
	uint32_t own = closing(&ch->keep);

	origin_watch_own_begin(ch);
	if (ch->keeping)
		outlet_finish(&ch->keep);
	origin_watch_own_end(ch, own);
	ch->keeping = false;
	ch->end_due = false;
}

void keep_look(struct channel *ch)
{
	if (ch->keeping)
		changed(&ch->keep);
}
