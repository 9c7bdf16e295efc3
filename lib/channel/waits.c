#include "waits.h"

#include <stdarg.h>
#include <stdio.h>

#include "broadcast.h"
#include "channel-parts.h"
#include "clock.h"
#include "sys.h"

__attribute__((format(printf, 3, 4))) static void waits_say(struct waits *w, enum flow flow, const char *fmt, ...)
{
	va_list ap;

	w->flow = flow;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
}

static unsigned waits_msec(uint64_t nsec)
{
	return (unsigned)((nsec + NSEC_PER_SEC / 1000 - 1) / (NSEC_PER_SEC / 1000));
}

/* The first that is true of a queue with bytes, or of an outlet that the origin waits for. */
static void waits_of_queue(struct waits *w, const struct tap *tap)
{
	const struct outlet *o = &tap->outlet;
	uint64_t limit = tap->queue.bytes ? rate_limit_wait(&tap->rate_limit) : 0;

	if (tap->starved)
		waits_say(w, FLOW_STARVED, "the kernel refuses to move what is queued: again within 100 ms");
	else if (o->unread)
		waits_say(w, FLOW_READER, "waiting for a reader: %zu bytes are kept", tap_waiting(tap));
	else if (limit && loop_io_armed(&tap->due))
		waits_say(w, FLOW_LIMITED, "waiting for the rate limit: again in %u ms, %zu bytes are queued",
			  waits_msec(limit), tap->queue.bytes);
	else if (loop_io_armed(&o->room) || loop_io_armed(&tap->due))
		waits_say(w, FLOW_READER, "waiting for room: the reader has %zu bytes to read, %zu more are queued",
			  outlet_waiting(o), tap->queue.bytes);
	else
		waits_say(w, FLOW_STUCK, WAITS_FAULT);
}

/* The stream is over, and its reader has seen that, or does with his next read: the outlet is only to find out. */
static bool waits_has_all(const struct tap *tap)
{
	return tap->outlet.state == OUTLET_ENDING && !tap->held && !outlet_waiting(&tap->outlet);
}

/* The stream is over, and all of it in the FIFO. */
static void waits_of_end(struct waits *w, const struct tap *tap)
{
	const struct outlet *o = &tap->outlet;
	size_t bytes = outlet_waiting(o);

	if (tap->held)
		waits_say(w, FLOW_READER, "waiting for the sink, which has bytes in hand");
	else if (o->starved)
		waits_say(w, FLOW_STARVED,
			  "out of descriptors or watches at the end of the stream: again within 100 ms");
	else if (o->leaving)
		waits_say(w, FLOW_READER, "a reader has left: looking whether there is another, %zu bytes are kept",
			  bytes);
	else if (o->state == OUTLET_ENDING && !loop_io_armed(&o->room))
		waits_say(w, FLOW_STUCK, WAITS_FAULT);
	else if (outlet_is_read(o))
		waits_say(w, FLOW_READER, "waiting for the reader: it has the last %zu bytes to read, and the end",
			  bytes);
	else
		waits_say(w, FLOW_READER, "waiting for a reader: %zu bytes and the end of the stream are kept", bytes);
}

/* Nothing waits. @had: there was something before. */
static enum flow waits_quiet(const struct channel *ch, bool had)
{
	if (!ch->over)
		return FLOW_WRITER;
	return had || ch->dead ? FLOW_ENDED : FLOW_IDLE;
}

/* What a tap waits for by itself, and whatever its being full means for others. */
static void waits_of_reader(struct waits *w, const struct tap *tap)
{
	const struct outlet *o = &tap->outlet;
	const struct channel *ch = tap->channel;

	if (ch->starved)
		waits_say(w, FLOW_STARVED, "out of descriptors or memory (see the log): again within 100 ms");
	else if (o->state != OUTLET_HOLDING && (tap->queue.bytes || !ch->over))
		waits_say(w, FLOW_STUCK, WAITS_FAULT);
	else if (tap->queue.bytes || tap->stalled)
		waits_of_queue(w, tap);
	else if (ch->over && !tap->delivered && !waits_has_all(tap))
		waits_of_end(w, tap);
	else if (!outlet_waiting(o))
		waits_say(w, waits_quiet(ch, tap->bytes_out), "waiting for %s",
			  ch->dead ? "nothing: no writer can come" :
			  ch->over ? "a writer" :
				     "the writer");
	else if (outlet_is_read(o))
		waits_say(w, FLOW_READER, "waiting for the reader: it has %zu bytes to read", outlet_waiting(o));
	else
		waits_say(w, FLOW_READER, "waiting for a reader: %zu bytes are kept", outlet_waiting(o));
}

void waits_of_tap(struct waits *w, const struct tap *tap)
{
	const struct channel *ch = tap->channel;

	*w = (struct waits){ 0 };
	waits_of_reader(w, tap);
	if (!tap_full(tap))
		return;
	if (!tap_blocks(tap)) {
		w->flow = ch->over ? w->flow : FLOW_DROPS;
		return;
	}
	w->tap = broadcast_name_of(tap);
	if (ch->in < 0 || sys.waiting(ch->in) <= 0)
		return;
	w->flow = FLOW_BLOCKS;
	w->since = tap->blocks_nsec;
}

/* The daemon does not read the origin. */
static void waits_of_fifo(struct waits *w, const struct channel *ch)
{
	const struct inlet *in = TAILQ_FIRST(&ch->inlets);
	int bytes = in ? sys.waiting(in->fd) : 0;

	if (in && inlet_full(in)) {
		waits_say(w, FLOW_BLOCKED, "blocked: no taps, and %d bytes wait for who reads the channel itself",
			  bytes);
		w->since = ch->blocks_nsec;
	} else if (in) {
		waits_say(w, bytes ? FLOW_READER : FLOW_WRITER, "no taps: the kernel moves what the daemon writes");
	} else if (ch->keeping) {
		waits_say(w, FLOW_READER, "no taps: %zu bytes are kept for a reader", outlet_waiting(&ch->keep));
	} else {
		waits_say(w, FLOW_OPEN, "no taps: the kernel moves the bytes");
	}
}

/* It holds a writer back, where there is one: the origin has no room for him. */
static bool waits_blocks(struct waits *w, const struct broadcast *b)
{
	if (!b->blocks_nsec || b->waits_at != b->channel->bytes_in)
		return false;
	w->tap = b->id;
	w->since = b->blocks_nsec;
	return true;
}

static void waits_of_unread(struct waits *w, const struct broadcast *b, int bytes)
{
	waits_say(w, waits_blocks(w, b) ? FLOW_BLOCKED : FLOW_READER,
		  "waiting for a reader of a broadcast name: %d bytes wait in the origin", bytes);
}

void waits_of_broadcast(struct waits *w, const struct broadcast *b)
{
	const struct channel *ch = b->channel;

	*w = (struct waits){ 0 };
	waits_say(w, FLOW_READER, "waiting for somebody to open it");
	if (broadcast_holder(ch) != b || ch->in < 0 || sys.waiting(ch->in) <= 0)
		w->flow = ch->over ? waits_quiet(ch, ch->streams) : FLOW_READER;
	else if (waits_blocks(w, b))
		w->flow = FLOW_BLOCKS;
}

void waits_of_channel(struct waits *w, const struct channel *ch)
{
	const struct tap *full = channel_full_tap(ch);
	const struct broadcast *unread = broadcast_holder(ch);
	uint64_t limit = rate_limit_wait(&ch->rate_limit);
	int bytes = ch->in < 0 ? 0 : sys.waiting(ch->in);

	*w = (struct waits){ .tap = full ? broadcast_name_of(full) : 0,
			     .since = full && bytes > 0 ? full->blocks_nsec : 0 };
	if (ch->in < 0)
		waits_of_fifo(w, ch);
	else if (full && bytes <= 0)
		waits_say(w, waits_quiet(ch, ch->streams),
			  "waiting for the writer; a tap is full, and what comes will wait");
	else if (full)
		waits_say(w, FLOW_BLOCKED, "blocked: a tap is full, %d bytes wait in the origin", bytes);
	else if (ch->starved)
		waits_say(w, FLOW_STARVED, "out of descriptors or memory (see the log): again within 100 ms");
	else if (bytes > 0 && unread)
		waits_of_unread(w, unread, bytes);
	else if (limit && loop_io_armed(&ch->pause))
		waits_say(w, FLOW_LIMITED, "waiting for the rate limit: again in %u ms, %d bytes wait in the origin",
			  waits_msec(limit), bytes);
	else if (loop_io_armed(&ch->pause))
		waits_say(w, FLOW_FLOWING, "gathering small writes: %d bytes wait in the origin", bytes);
	else if (!loop_io_armed(&ch->readable))
		waits_say(w, FLOW_STUCK, WAITS_FAULT);
	else if (ch->dead)
		waits_say(w, FLOW_ENDED, "waiting for nothing: no writer can come");
	else if (bytes)
		waits_say(w, FLOW_FLOWING, "about to move %d bytes", bytes);
	else
		waits_say(w, waits_quiet(ch, ch->streams), "waiting for %s", ch->over ? "a writer" : "the writer");
}
