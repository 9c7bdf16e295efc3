/*
 * A channel becomes one of messages, or of bytes again.
 *
 * A pipe tells messages apart from the moment on that its writers have it open so (O_DIRECT), and the kernel lets
 * nobody change that for others' descriptors. So the stream moves to another FIFO, and only while nothing is under
 * way: what waits could be of neither kind.
 */
#include "channel-parts.h"

#include <errno.h>
#include <fcntl.h>

#include "base.h"
#include "worker.h"
#include "keep.h"
#include "sys.h"

/* Whether bytes are under way that are not messages, or messages that are to stay ones. */
static bool channel_holds(const struct channel *ch)
{
	const struct tap *tap;

	if (!ch->over || (ch->in >= 0 && sys.waiting(ch->in) > 0) || (ch->keeping && outlet_waiting(&ch->keep) > 0))
		return true;
	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (tap_waiting(tap) > 0)
			return true;
	return false;
}

int channel_set_packets(struct channel *ch, bool packets, uint64_t origin)
{
	struct fifo old = ch->origin;
	int err = 0;
	int fd;

	if (!TAILQ_EMPTY(&ch->inlets) || ends_busy(ch->ends) || channel_holds(ch))
		return -EBUSY;
	if (origin != old.id) {
		keep_end(ch);
		err = channel_move(ch, origin);
	}
	if (err < 0)
		return err;
	ch->settings.value[SETTING_PACKETS] = packets;
	ends_origin_moved(ch->ends, old.id, origin);
	/* Whoever waits in open for a peer would wait for ever: this lets them through, to an end. */
	fd = origin != old.id ? fifo_open(&old, O_RDWR, 1) : -1;
	if (fd >= 0)
		fd_close(&fd);
	return 0;
}
