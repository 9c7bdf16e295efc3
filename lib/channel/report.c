#include "report.h"

#include <errno.h>
#include <stdlib.h>

#include "broadcast.h"
#include "channel-parts.h"
#include "fill.h"
#include "sys.h"

static void report_tap(struct tap_report *t, const struct tap *tap)
{
	t->id = tap->id;
	t->bytes_out = tap->bytes_out;
	t->waiting = tap_waiting(tap);
	if (tap->outlet.fd >= 0)
		t->size = (uint64_t)outlet_size(&tap->outlet) + tap_depth(tap);
	t->fill = fill_of_tap(tap);
	t->lost = tap->lost;
	t->drops = tap->drops;
	t->settings = tap->settings;
	t->state = tap->outlet.state;
	if (tap->delivered && !t->waiting) /* (a broadcast's stays at its end) */
		t->state = OUTLET_IDLE;
	waits_of_tap(&t->waits, tap);
}

/* Whether @one says more of what it is a part of than @t: it has held the writer back for longer, or it is fuller. */
static bool report_outweighs(const struct tap_report *one, const struct tap_report *t)
{
	if (one->waits.since != t->waits.since)
		return one->waits.since && (!t->waits.since || one->waits.since < t->waits.since);
	return one->waiting > t->waiting;
}

/* A part of a broadcast. */
static void report_add(struct tap_report *t, const struct tap *tap)
{
	struct tap_report one = { 0 };

	report_tap(&one, tap);
	t->readers++;
	t->bytes_out += one.bytes_out;
	t->lost += one.lost;
	t->drops += one.drops;
	if (t->readers > 1 && !report_outweighs(&one, t))
		return;
	t->waiting = one.waiting;
	t->size = one.size;
	t->fill = one.fill;
	t->state = one.state;
	t->waits = one.waits;
}

static void report_broadcast(struct tap_report *t, const struct broadcast *b)
{
	const struct tap *tap;

	*t = (struct tap_report){ .id = b->id, .each = true, .settings = b->settings };
	t->bytes_out = b->bytes_out;
	t->lost = b->lost;
	t->drops = b->drops;
	waits_of_broadcast(&t->waits, b);
	TAILQ_FOREACH(tap, &b->taps, of_broadcast)
		report_add(t, tap);
}

static bool report_has(const struct tap *tap)
{
	return tap->id < TAP_PRIVATE && !tap->broadcast;
}

static int report_taps(struct report *r, const struct channel *ch)
{
	const struct broadcast *b;
	const struct tap *tap;

	TAILQ_FOREACH(tap, &ch->taps, entry)
		r->count += report_has(tap);
	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		r->count++;
	r->taps = calloc(r->count + 1, sizeof(r->taps[0]));
	if (!r->taps)
		return -ENOMEM;
	r->count = 0;
	TAILQ_FOREACH(tap, &ch->taps, entry)
		if (report_has(tap))
			report_tap(&r->taps[r->count++], tap);
	TAILQ_FOREACH(b, &ch->broadcasts, entry)
		report_broadcast(&r->taps[r->count++], b);
	return 0;
}

struct report *report_create(const struct channel *ch)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->settings = ch->settings;
	r->bytes_in = ch->bytes_in;
	r->streams = ch->streams;
	r->chunks_ref = ch->chunks_ref;
	r->chunks_copy = ch->chunks_copy;
	r->lost = ch->lost;
	r->unwritten = channel_unwritten(ch);
	r->prologue = ch->prologue.len;
	r->fill = fill_of_channel(ch);
	waits_of_channel(&r->waits, ch);
	if (ch->in >= 0) {
		int waiting = sys.waiting(ch->in);

		r->waiting = waiting > 0 ? (uint64_t)waiting : 0;
		r->size = pipe_size(ch->in);
	}
	if (report_taps(r, ch) < 0 || ends_report(ch->ends, &r->ports, &r->port_count) < 0) {
		report_free(r);
		return NULL;
	}
	for (size_t i = 0; r->waits.flow != FLOW_BLOCKED && i < r->port_count; i++)
		r->ports[i].holder = r->ports[i].since = 0; /* nothing waits for it */
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->port_count; i++)
		port_report_finish(&r->ports[i]);
	free(r->ports);
	free(r->taps);
	free(r);
}
