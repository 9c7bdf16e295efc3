#include "report.h"

#include <fcntl.h>
#include <stdlib.h>

#include "channel.h"
#include "pipe.h"
#include "sys.h"

struct report *report_create(const struct channel *ch)
{
	const struct tap *tap;
	struct report *r;
	size_t count = 0;

	TAILQ_FOREACH(tap, &ch->taps, entry)
		count++;
	r = calloc(1, sizeof(*r) + count * sizeof(r->taps[0]));
	if (!r)
		return NULL;
	r->bytes_in = ch->bytes_in;
	r->streams = ch->streams;
	r->chunks_ref = ch->chunks_ref;
	r->chunks_copy = ch->chunks_copy;
	if (ch->in >= 0) {
		int waiting = sys.waiting(ch->in);

		r->waiting = waiting > 0 ? (uint64_t)waiting : 0;
		r->size = fcntl(ch->in, F_GETPIPE_SZ);
	}
	TAILQ_FOREACH(tap, &ch->taps, entry) {
		struct tap_report *t = &r->taps[r->count++];

		t->id = tap->id;
		t->bytes_out = tap->bytes_out;
		t->waiting = tap->queue.bytes + outlet_waiting(&tap->outlet);
		if (tap->outlet.fd >= 0)
			t->size = (uint64_t)fcntl(tap->outlet.fd, F_GETPIPE_SZ) + QUEUE_LINKS * PIPE_SIZE;
		t->lost = tap->lost;
		t->state = tap->outlet.state;
	}
	return r;
}
