/*
 * What a tap begins with: the replay, and before that, for its first reader, the prologue.
 *
 * The prologue is put there when that reader has come, and not before: so nothing that happens until then, be it dropped,
 * discarded or flushed, costs him the beginning, and who begins where the stream does gets it once. Where what is queued
 * begins (tap->from) is followed for that long alone, so nothing of it costs anything while data flows.
 */
#include "tap-parts.h"

#include "channel.h"
#include "prologue.h"
#include "worker.h"

int tap_begin_with(struct tap *tap, const struct replay *replay)
{
	struct channel *ch = tap->channel;
	size_t short_of = replay->queue.bytes, excess = replay_excess(replay);
	int err = queue_duplicate(&tap->queue, &replay->queue);

	if (err < 0)
		return err;
	short_of -= tap->queue.bytes;
	excess -= excess < short_of ? excess : short_of;
	err = queue_cut(&tap->queue, excess, channel_record(ch), ch->worker->null);
	if (err < 0)
		return err;
	tap->seek = tap->queue.bytes ? TAP_FLOWS : TAP_BEGINS;
	tap->replayed = tap->queue.bytes;
	tap->from = ch->position - tap->queue.bytes;
	tap->delivered = !tap->replayed;
	return tap->replayed ? outlet_hold(&tap->outlet) : 0;
}

/* Puts the prologue before what is queued, and before what comes; what of it is there is not put. */
static int tap_put_prologue(struct tap *tap)
{
	struct channel *ch = tap->channel;
	const struct prologue *p = tap->goes_on ? NULL : channel_prologue(ch);
	uint64_t from = tap->queue.bytes ? tap->from : ch->position;
	size_t len = p ? prologue_before(p, ch->relays ? UINT64_MAX : from) : 0;
	int err;

	if (ch->relays && !ch->late && from < len) /* the tap that it reads has begun with it */
		len = (size_t)from;
	err = len ? prologue_put(p, len, &tap->queue, ch->worker->null) : 0;

	if (err < 0)
		return err;
	tap->owes = false;
	tap->replayed += len;
	tap->led = len;
	return 0;
}

int tap_go_on(struct tap *tap, int rd)
{
	int err = tap_recall(tap, rd);

	if (err < 0)
		return err;
	err = queue_skip(&tap->queue, tap->led, tap->channel->worker->null);
	if (err < 0)
		return err;
	tap->replayed -= tap->led < tap->replayed ? tap->led : tap->replayed;
	tap->led = 0;
	tap->goes_on = true;
	return 0;
}

bool tap_owes(const struct tap *tap)
{
	return tap->owes && channel_prologue(tap->channel);
}

int tap_greet(struct tap *tap)
{
	struct outlet *o = &tap->outlet;
	const struct prologue *p = channel_prologue(tap->channel);

	/* (what is over has nothing to begin) */
	if (o->unread || (p && p->first && tap->channel->over && !tap->queue.bytes))
		return 0;
	o->unread = !outlet_is_read(o);
	return o->unread ? 0 : tap_put_prologue(tap);
}

void tap_stream_begins(struct tap *tap)
{
	if (tap->seek == TAP_FLUSHED)
		tap->seek = TAP_FLOWS;
	if (tap->owes && tap->queue.bytes)
		tap_put_prologue(tap);
}
