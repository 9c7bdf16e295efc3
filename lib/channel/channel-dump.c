/* A channel and its taps as they are inside, for the log: what they wait for, and all that this follows from. */
#include <stdio.h>

#include "channel-parts.h"
#include "worker.h"
#include "pipe.h"
#include "sys.h"
#include "waits.h"

/* A line with what is asked of the kernel and of every flag. */
#define LINE_MAX_BYTES 512

static const char *channel_dump_word(bool is, const char *word)
{
	return is ? word : "";
}

static int channel_dump_bytes(int fd)
{
	return fd < 0 ? 0 : sys.waiting(fd);
}

static void channel_dump_outlet(char *out, size_t size, const struct outlet *o)
{
	static const char *const states[] = { "idle", "holding", "ending" };

	snprintf(out, size, "%s%s%s%s%s%s, ring %zu of %d, armed%s%s", states[o->state],
		 channel_dump_word(outlet_is_read(o), " read"), channel_dump_word(o->unread, " unread"),
		 channel_dump_word(o->attend, " attend"), channel_dump_word(o->leaving, " leaving"),
		 channel_dump_word(o->starved, " starved"), outlet_waiting(o), outlet_size(o),
		 channel_dump_word(loop_io_armed(&o->room), " room"),
		 channel_dump_word(loop_io_armed(&o->left), " left"));
}

static void channel_dump_tap(char *out, size_t size, const struct tap *tap)
{
	char outlet[LINE_MAX_BYTES / 2];
	struct waits w;

	waits_of_tap(&w, tap);
	channel_dump_outlet(outlet, sizeof(outlet), &tap->outlet);
	snprintf(out, size, "%s (%s%s; queue %zu of %llu in %u pipes%s%s%s%s%s%s)", w.text, outlet,
		 channel_dump_word(loop_io_armed(&tap->due), " due"), tap->queue.bytes,
		 (unsigned long long)tap_depth(tap), tap->queue.count, channel_dump_word(tap->queue.spare, " spare"),
		 channel_dump_word(tap_full(tap), " full"), channel_dump_word(tap->stalled, " stalled"),
		 channel_dump_word(tap->held, " held"), channel_dump_word(tap->starved, " starved"),
		 channel_dump_word(tap->delivered, " delivered"));
}

static void channel_dump_origin(char *out, size_t size, const struct channel *ch)
{
	char outlet[LINE_MAX_BYTES / 2] = "not kept";
	struct waits w;

	waits_of_channel(&w, ch);
	if (ch->keeping)
		channel_dump_outlet(outlet, sizeof(outlet), &ch->keep);
	snprintf(
		out, size,
		"%s (origin %d of %d%s%s%s%s%s%s, armed%s%s%s; replay %zu of %llu; stage %d; %s%s; streams %llu, in %llu)",
		w.text, channel_dump_bytes(ch->in), ch->in < 0 ? 0 : pipe_size(ch->in),
		channel_dump_word(ch->over, " over"), channel_dump_word(ch->fresh, " fresh"),
		channel_dump_word(ch->gone, " gone"), channel_dump_word(ch->dead, " dead"),
		channel_dump_word(ch->starved, " starved"), channel_dump_word(ch->relays, " relay"),
		channel_dump_word(loop_io_armed(&ch->readable), " readable"),
		channel_dump_word(loop_io_armed(&ch->pause), " pause"),
		channel_dump_word(loop_io_armed(&ch->closed), " closed"), ch->replay.queue.bytes,
		(unsigned long long)ch->replay.size, channel_dump_bytes(ch->worker->stage.rd), outlet,
		channel_dump_word(ch->end_due, " end due"), (unsigned long long)ch->streams,
		(unsigned long long)ch->bytes_in);
}

void channel_dump(const struct channel *ch, void (*line)(void *data, uint64_t tap, const char *text), void *data)
{
	char text[LINE_MAX_BYTES];
	const struct tap *tap;

	channel_dump_origin(text, sizeof(text), ch);
	line(data, 0, text);
	TAILQ_FOREACH(tap, &ch->taps, entry) {
		channel_dump_tap(text, sizeof(text), tap);
		line(data, tap->id, text);
	}
}
