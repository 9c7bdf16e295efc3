#include "inlet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base.h"
#include "channel.h"
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

static void changed(struct outlet *o)
{
	struct channel *ch = container_of(o, struct channel, keep);

	if (!TAILQ_EMPTY(&ch->inlets) || loop_io_armed(&ch->closed))
		return;
	if (outlet_settle(o, false) || (o->state == OUTLET_HOLDING && outlet_waiting(o) == 0 && !ch->end_due))
		keep_end(ch);
}

void keep_begin(struct channel *ch)
{
	int err = 0;

	if (ch->hub || !TAILQ_EMPTY(&ch->taps) || !TAILQ_EMPTY(&ch->inlets))
		return; /* (a hub's bytes are kept by its tap) */
	if (!ch->keeping) {
		err = outlet_init(&ch->keep, &ch->origin, ch->worker->loop, &ch->worker->watcher, changed);
		ch->keeping = true;
	}
	if (err == 0)
		err = outlet_hold(&ch->keep);
	if (err < 0) {
		log_err("%s: cannot keep what waits for a reader: %s", ch->label, strerror(-err));
		keep_end(ch);
	}
}

void keep_end(struct channel *ch)
{
	if (ch->keeping)
		outlet_finish(&ch->keep);
	ch->keeping = false;
	ch->end_due = false;
}

void keep_look(struct channel *ch)
{
	if (ch->keeping)
		changed(&ch->keep);
}
