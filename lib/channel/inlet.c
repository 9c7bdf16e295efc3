#include "inlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "base.h"
#include "channel-parts.h"
#include "keep.h"
#include "log.h"
#include "pipe.h"
#include "sys.h"

static int inlet_open_fifo(const struct channel *ch)
{
	_cleanup_fd_ int fd = fifo_open(&ch->origin, O_RDWR, 0);

	if (fd < 0)
		return fd;
	if (ch->settings.value[SETTING_PACKETS] && fcntl(fd, F_SETFL, O_NONBLOCK | O_DIRECT) < 0)
		return -errno;
	return fd_take(&fd);
}

int inlet_open(struct inlet *in, struct channel *ch)
{
	int err;

	in->fd = -1;
	in->channel = ch;
	TAILQ_INSERT_TAIL(&ch->inlets, in, entry);
	err = channel_charge(ch);
	if (err == 0)
		err = in->fd = inlet_open_fifo(ch);
	if (err >= 0) {
		if (in->wide)
			pipe_grow(in->fd, PIPE_SIZE);
		return 0;
	}
	in->fd = -1;
	TAILQ_REMOVE(&ch->inlets, in, entry);
	channel_discharge(ch);
	return err;
}

/*
 * Nothing of the daemon's holds the FIFO any more, for want of a descriptor: unless a user has it open, what waits in it
 * goes with this end of it.
 */
static void inlet_lose(struct inlet *in)
{
	int waiting = sys.waiting(in->fd);

	if (waiting <= 0)
		return;
	log_user_err(in->channel->user, "%s: %d bytes may be lost, for nobody reads them", in->channel->label, waiting);
	in->channel->lost += (uint64_t)waiting;
}

void inlet_close(struct inlet *in)
{
	struct channel *ch = in->channel;

	if (in->fd < 0)
		return;
	TAILQ_REMOVE(&ch->inlets, in, entry);
	if (!ch->gone)
		keep_begin(ch);
	if (ch->in < 0 && !ch->keeping && !ch->gone && TAILQ_EMPTY(&ch->inlets))
		inlet_lose(in);
	ch->end_due = ch->keeping && in->stream;
	fd_close(&in->fd);
	channel_discharge(ch);
	if (ch->keeping) /* (not before the next turn; see keep.c) */
		loop_io_timer(&ch->closed, 0);
}

bool inlet_full(const struct inlet *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLOUT };

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLOUT);
}

void inlet_closed(struct loop_io *io, int res)
{
	keep_look(container_of(io, struct channel, closed));
}
