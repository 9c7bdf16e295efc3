/*
 * Where a stream is cut between two files: at a boundary of the channel's records (record.h), which is looked for once the next
 * file is open, and is where it was found until it is reached. It is not waited for longer than RECORD_NSEC
 * (rotation-next.c): then it is cut anywhere.
 */
#include "rotation-parts.h"

#include "channel.h"

/* Nothing is written while the next file is opened, or the one before it is closed, but for no longer than this. */
#define OPENING_NSEC NSEC_PER_SEC

static uint64_t rotation_record(const struct rotation *r)
{
	return r->port->channel->settings.value[SETTING_RECORD];
}

/* Looks for the boundary in what is in hand. Returns the bytes before it; all of them: it is not there, or at their end. */
static size_t rotation_cut(struct rotation *r, const struct half *half, bool begun)
{
	const struct bounce *b = &half->bounce;
	const struct chunk bytes = r->port->copying ?
					   (struct chunk){ .stage = -1, .mem = b->buf + b->at, .len = b->len } :
					   (struct chunk){ .stage = half->pipe.rd, .len = half->bytes };
	uint64_t record = rotation_record(r);
	ssize_t n;

	if (r->waited)
		return 0;
	if (record == RECORD_WRITES)
		return begun ? half->bytes : 0;
	n = record_next(record, record_past(record, r->port->bytes), &bytes);
	if (n < 0) /* it comes later, or cannot be told yet */
		return half->bytes;
	r->found = true;
	r->before = (size_t)n;
	return (size_t)n;
}

/* For the next file, or until the one before is closed, so that there can be another; for a while. */
static bool rotation_waits(struct rotation *r)
{
	if (r->waited || (!r->opening && rotation_quiet(r)))
		return false;
	loop_io_timer(&r->patience, OPENING_NSEC);
	return true;
}

size_t rotation_share(struct rotation *r, const struct half *half, bool begun)
{
	if (r->size && r->length >= r->size)
		r->due = true;
	if (!r->due && r->size && rotation_record(r) != RECORD_WRITES && half->bytes > r->size - r->length)
		return (size_t)(r->size - r->length);
	if (!r->due)
		return half->bytes;
	rotation_begin(r);
	if (!rotation_ready(r))
		return rotation_waits(r) ? 0 : half->bytes;
	if (r->found)
		return r->before < half->bytes ? r->before : half->bytes;
	return rotation_cut(r, half, begun);
}

bool rotation_rests(const struct rotation *r)
{
	return r->waited || r->found || !record_past(rotation_record(r), r->port->bytes);
}

void rotation_wrote(struct rotation *r, size_t bytes)
{
	r->length += bytes;
	r->before -= bytes < r->before ? bytes : r->before;
}
