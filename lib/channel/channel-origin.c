/*
 * The origin of a channel: how the daemon becomes its reader, and what its end means.
 *
 * While the daemon reads the origin (channel->in), it neither keeps bytes in it (keep.h) nor looks at who opens it
 * (origin-watch.h): a node has one watch in an inotify, and what comes is the taps' now. Each hands over to the next
 * while it still has the FIFO open, also on the way back after a failure: a FIFO that nobody has open forgets its
 * bytes.
 */
#include "channel-parts.h"

#include <fcntl.h>
#include <sys/inotify.h>

#include "base.h"
#include "worker.h"
#include "keep.h"
#include "pipe.h"

static void channel_origin_event(struct watch *watch, uint32_t mask)
{
	struct channel *ch = container_of(watch, struct channel, writers);

	const struct engine_events *events = &ch->worker->events;

	if (events->origin_opened)
		events->origin_opened(events->data);
	if (ch->over)
		channel_pump(ch);
}

int channel_start(struct channel *ch)
{
	bool never = ch->settings.value[SETTING_EOF] == EOF_NEVER;

	origin_watch_look(ch);
	return never && ch->forever.fd < 0 && !ch->gone && !ch->relays ? inlet_open(&ch->forever, ch) : 0;
}

/* A relay's origin is a tap, of which somebody else may have read the beginning. */
static bool channel_reads_late(const struct channel *ch)
{
	const struct tap *tap = ch->relays ? channel_find_tap(ch->relays, ch->origin.id) : NULL;

	return tap && !tap->owes;
}

/* With the origin open for reading: looks for its writers, and puts in force what was set. */
static int channel_attach_origin(struct channel *ch, bool end_due)
{
	int err = ch->relays ? 0 : watch_add(&ch->writers, &ch->worker->watcher, ch->in, IN_OPEN, channel_origin_event);

	if (err < 0)
		return err;
	pipe_fit(ch->in, channel_ring_size(ch));
	ch->replay.size = ch->settings.value[SETTING_REPLAY];
	ch->position = 0;
	prologue_begin(&ch->prologue);
	ch->late = channel_reads_late(ch);
	ch->over = !end_due;
	ch->seen = 0;
	ch->fresh = true;
	return channel_start(ch);
}

int channel_attach(struct channel *ch)
{
	bool kept = ch->keeping, due = ch->end_due;
	int err = channel_charge_attached(ch);

	if (err < 0)
		return err;
	origin_watch_end(ch);
	err = ch->in = fifo_open(&ch->origin, O_RDONLY, 0);
	if (err < 0) {
		channel_discharge(ch);
		return err;
	}
	keep_end(ch); /* (a node has one watch in the worker's inotify) */
	err = channel_attach_origin(ch, due);
	if (err == 0)
		return 0;
	watch_remove(&ch->writers);
	if (kept) { /* before the origin is closed: nobody else may have it open */
		keep_begin(ch);
		ch->end_due = due && ch->keeping;
	}
	channel_detach(ch);
	keep_look(ch);
	return err;
}

int channel_move(struct channel *ch, uint64_t id)
{
	struct fifo fifo = { .dir = ch->origin.dir, .id = id };
	int fd, err;

	if (ch->in < 0) {
		origin_watch_end(ch);
		ch->origin = fifo;
		origin_watch_look(ch);
		return 0;
	}
	fd = fifo_open(&fifo, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	watch_remove(&ch->writers);
	err = watch_add(&ch->writers, &ch->worker->watcher, fd, IN_OPEN, channel_origin_event);
	if (err < 0) {
		fd_close(&fd);
		/* There was room for it. */
		watch_add(&ch->writers, &ch->worker->watcher, ch->in, IN_OPEN, channel_origin_event);
		return err;
	}
	loop_io_cancel(&ch->readable);
	loop_io_cancel(&ch->pause);
	fd_close(&ch->in);
	ch->in = fd;
	ch->origin = fifo;
	ch->seen = 0;
	ch->fresh = true;
	pipe_fit(ch->in, channel_ring_size(ch));
	replay_finish(&ch->replay);
	ch->replay.size = ch->settings.value[SETTING_REPLAY];
	channel_pump(ch);
	return 0;
}

void channel_detach(struct channel *ch)
{
	loop_io_cancel(&ch->readable);
	loop_io_cancel(&ch->pause);
	watch_remove(&ch->writers);
	fd_close(&ch->in);
	replay_finish(&ch->replay);
	channel_ring_fit(ch); /* to who still has it */
	channel_discharge(ch);
	ch->over = true;
	ch->dead = ch->gone;
	ends_stream_over(ch->ends);
}

void channel_origin_gone(struct channel *ch)
{
	struct tap *tap;

	ch->gone = true;
	origin_watch_look(ch);
	inlet_close(&ch->forever);
	keep_end(ch);
	if (ch->over)
		ch->dead = true;
	if (ch->dead)
		TAILQ_FOREACH(tap, &ch->taps, entry)
			if (tap_prepare(tap) >= 0)
				tap->delivered = false;
	channel_update_taps(ch);
	if (ch->dead)
		ends_stream_over(ch->ends);
	channel_pump(ch); /* a tap may have room now */
}
