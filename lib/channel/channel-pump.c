/*
 * The stream of a channel: chunks from the origin to every tap, in turns.
 *
 * No chunk leaves the origin before every tap that may hold the writer back has room for it and a reserve of a whole
 * stage (channel_prepare()), and the replay as well: from then on nothing can fail for them, and no reader gets less
 * than its neighbour. The worker's stage is empty between chunks and no larger than the smallest reserve. What cannot
 * go on (no descriptors, no memory) waits in the origin, whose writer waits with it, and is tried again; the log says
 * so once.
 *
 * With broadcasts alone that nobody reads there may be no tap at all: the stream waits then, or what comes is dropped, as
 * they say.
 *
 * A stream begins with a writer and is over once the last one has left and all of it is with the taps. poll(2) is not
 * enough to know that: it reports a hang-up for ever once there was one, so each stream is waited for on a descriptor
 * of its own, and it does not report one that was before that descriptor (channel->fresh). There, and while no stream
 * is under way, tee(2) is asked, which tells "no writer" from "no bytes yet" and takes nothing.
 *
 * Somebody else may read the origin too. What waited there at one look and is gone at the next, though nobody here took
 * it, is what the taps miss. That is a lower bound, for what comes and goes between two looks is not seen, and no call
 * tells of it; so a stream that waits for a tap is looked at now and then where such readers are allowed.
 */
#include "channel-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "base.h"
#include "broadcast.h"
#include "clock.h"
#include "worker.h"
#include "log.h"
#include "monitor.h"
#include "pipe.h"
#include "sys.h"

/* One channel takes this many chunks before the others of its worker have a turn. */
#define TURN_CHUNKS 16

/*
 * A writer of many small writes wakes the daemon for each one, unless it waits a little: where the
 * next bytes are there already, but fewer than these, a pause gathers more. Lone messages, and those that
 * are answered before the next, are never delayed.
 */
#define PAUSE_BYTES (64 * 1024)
#define PAUSE_NSEC 250000

/* Out of descriptors or memory in mid-stream: try again after this. */
#define RETRY_NSEC (NSEC_PER_SEC / 10)

/* A stream that waits for a tap, and that others may read: look what they take this often. */
#define LOOK_NSEC (NSEC_PER_SEC / 50)

/* Bytes that wait in the origin. What others have read of those that waited before is missed by every tap. */
static int channel_waiting(struct channel *ch)
{
	int waiting = sys.waiting(ch->in);
	size_t now = waiting > 0 ? (size_t)waiting : 0;
	struct tap *tap;

	if (now < ch->seen && !ch->relays) /* (a tap is for whoever reads it) */
		TAILQ_FOREACH(tap, &ch->taps, entry)
			tap_lose(tap, ch->seen - now);
	ch->seen = now;
	return waiting;
}

/* The origin's reader is the daemon. */
static void channel_taken(struct channel *ch, size_t bytes)
{
	stamp_set(&ch->stamp->mtime, ch->now);
	stamp_set(&ch->stamp->atime, ch->now);
	ch->seen = bytes < ch->seen ? ch->seen - bytes : 0;
}

/* A tap holds the stream back; its reader, or its removal, goes on from here. */
static void channel_wait_for_tap(struct channel *ch)
{
	if (ch->settings.value[SETTING_READERS] != READERS_ALLOW)
		return;
	channel_waiting(ch);
	loop_io_timer(&ch->pause, LOOK_NSEC);
}

/* 1: bytes wait; 0: none, and no writer; -EAGAIN: none yet. tee(2) tells without taking any. */
static int channel_probe(const struct channel *ch)
{
	struct worker *w = ch->worker;
	ssize_t n = sys.tee(ch->in, w->stage.wr, 1);

	if (n > 0)
		worker_clear_stage(w, (size_t)n);
	return (int)n;
}

/* Tries again soon, but says so once. */
static void channel_starve(struct channel *ch, const char *what, int err)
{
	if (!ch->starved)
		log_user_err(ch->user, "%s: %s: %s", ch->label, what, pipe_error(err));
	ch->starved = true;
	loop_io_timer(&ch->pause, RETRY_NSEC);
}

/* Readies every tap for a chunk. Returns 0 or a negative errno, and a retry is on its way. */
static int channel_prepare(struct channel *ch)
{
	int size, smallest = PIPE_SIZE;
	struct tap *tap;
	size_t step;

	size = replay_reserve(&ch->replay, ch->worker);
	for (tap = TAILQ_FIRST(&ch->taps); tap && size >= 0; tap = TAILQ_NEXT(tap, entry)) {
		smallest = size < smallest ? size : smallest;
		size = tap_prepare(tap);
		tap->delivered &= size < 0;
	}
	if (size < 0) {
		channel_starve(ch, "stream waits", size);
		return size;
	}
	ch->starved = false;
	smallest = size < smallest ? size : smallest;
	step = ch->rate_limit.rate ? rate_limit_step(&ch->rate_limit) : PIPE_SIZE;
	worker_fit_stage(ch->worker, step < (size_t)smallest ? (int)step : smallest);
	return 0;
}

static void channel_begin_taps(struct channel *ch)
{
	struct tap *tap;

	TAILQ_FOREACH(tap, &ch->taps, entry)
		tap_stream_begins(tap);
}

/*
 * The origin has a writer: readers that wait in open may come in. What a poll has told of the writers before is old now,
 * and would be taken for the end of this one's stream.
 */
static int channel_begin(struct channel *ch)
{
	loop_io_cancel(&ch->readable);
	if (ch->over) {
		log_debug("%s: stream begins", ch->label);
		channel_begin_taps(ch);
		ch->over = false;
		ch->position = 0;
		broadcasts_begin(ch);
		prologue_begin(&ch->prologue);
		if (ch->prologue.first) /* what came before has another one */
			queue_clear(&ch->replay.queue);
		monitor_look(ch);
	}
	return channel_prepare(ch);
}

bool channel_unwritten(const struct channel *ch)
{
	return ch->in >= 0 && ch->over && channel_probe(ch) == 0;
}

void channel_look_begun(struct channel *ch)
{
	int r = ch->in >= 0 && ch->over ? channel_probe(ch) : 0;

	if (r > 0 || r == -EAGAIN)
		channel_begin(ch); /* (what it cannot ready yet is tried again) */
}

/*
 * The last writer has gone and nothing waits. A hang-up stays on a descriptor for ever, so the next
 * stream is waited for on a new one; it is opened before the old one is closed. Returns 0, or a negative errno,
 * and a retry is on its way: the stream is not over before.
 */
static int channel_end(struct channel *ch)
{
	int fd;

	if (ch->over) { /* an empty stream: its end is due all the same */
		int err = channel_prepare(ch);

		if (err < 0)
			return err;
	}
	fd = fifo_open(&ch->origin, O_RDONLY, 1);
	if (fd < 0) {
		channel_starve(ch, "cannot wait for the next stream yet", fd);
		return fd;
	}
	log_debug("%s: stream ends", ch->label);
	loop_io_cancel(&ch->readable);
	fd_close(&ch->in);
	ch->in = fd;
	ch->fresh = true;
	ch->streams++;
	ch->over = true;
	ch->late = ch->relays && !ch->relays->prologue.first; /* (a tap begins but once) */
	ch->dead = ch->gone;
	monitor_look(ch);
	channel_update_taps(ch);
	ends_stream_over(ch->ends);
	return 0;
}

static void channel_pump_turn(struct channel *ch)
{
	bool passes = false;

	if (ch->in < 0)
		return;
	if (channel_held(ch)) {
		channel_wait_for_tap(ch);
		return;
	}
	ch->now = stamp_clock(ch->stamp);
	for (int i = 0; i < TURN_CHUNKS || passes; i++) {
		int waiting = channel_waiting(ch);
		struct broadcast *unread;
		uint64_t wait;
		ssize_t n;

		if (waiting <= 0) {
			int r = ch->over || ch->fresh ? channel_probe(ch) : -EAGAIN;

			if (r == -EAGAIN && (ch->over || ch->fresh)) {
				if (channel_begin(ch) < 0)
					return;
				ch->fresh = false;
			} else if (r == 0 && !ch->over && channel_end(ch) < 0) {
				return;
			}
			if (r <= 0)
				break;
			continue;
		}
		if (ch->over && channel_begin(ch) < 0)
			return;
		broadcasts_dismiss(ch);
		unread = broadcast_holder(ch);
		if (unread) { /* who opens it goes on from here */
			broadcast_note_wait(unread);
			return;
		}
		passes = broadcasts_pass(ch);
		wait = rate_limit_wait(&ch->rate_limit);
		if (!passes && (wait || (waiting < PAUSE_BYTES && i > 0))) {
			loop_io_timer(&ch->pause, wait ? wait : PAUSE_NSEC);
			return;
		}
		if (channel_begin(ch) < 0)
			return;
		n = channel_move_chunk(ch, (size_t)waiting);
		if (n < 0 && n != -EAGAIN) {
			channel_starve(ch, "stream waits", (int)n);
			return;
		}
		if (n > 0) {
			channel_taken(ch, (size_t)n);
			rate_limit_moved(&ch->rate_limit, passes ? 0 : (size_t)n);
		}
		if (channel_held(ch)) {
			monitor_look(ch);
			channel_wait_for_tap(ch);
			return;
		}
		if (n <= 0)
			break;
	}
	if (ch->in >= 0) /* the end of a stream may have taken the last tap with it */
		loop_io_poll(&ch->readable, ch->in, POLLIN);
}

/* Who is taken in or leaves while a chunk is on its way asks for what is done anyway: there is one stage. */
void channel_pump(struct channel *ch)
{
	ch->pumps_again = true;
	if (ch->pumps)
		return;
	ch->pumps = true;
	while (ch->pumps_again) {
		ch->pumps_again = false;
		channel_pump_turn(ch);
	}
	ch->pumps = false;
}

/*
 * Whether a hang-up without bytes, as poll(2) tells it, is the end of a stream. It looks without the pipe's lock: the last
 * bytes may have come between its two looks, and a writer that is just coming in passes for one that has gone.
 */
static bool channel_hung_up(struct channel *ch)
{
	return sys.waiting(ch->in) <= 0 && (!ch->over || channel_probe(ch) == 0);
}

static void channel_readable(struct loop_io *io, int res)
{
	struct channel *ch = container_of(io, struct channel, readable);

	if (res > 0 && (res & POLLHUP) && !(res & POLLIN) && channel_hung_up(ch) && channel_end(ch) < 0)
		return;
	channel_pump(ch);
}

static void channel_paused(struct loop_io *io, int res)
{
	struct channel *ch = container_of(io, struct channel, pause);

	channel_pump(ch);
}

void channel_pump_init(struct channel *ch)
{
	loop_io_init(&ch->readable, ch->worker->loop, channel_readable);
	loop_io_init(&ch->pause, ch->worker->loop, channel_paused);
}
