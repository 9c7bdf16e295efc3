/*
 * Where a stream is cut between two files: at a boundary of the channel's records (record.h), which is looked for once another
 * file is due, and is where it was found until it is reached; the next file is opened once there are bytes behind it. It is
 * not waited for longer than RECORD_NSEC: then it is cut anywhere.
 */
#include "rotation-parts.h"

#include "channel.h"

/* Nothing is written while the next file is opened, or the one before it is closed, but for no longer than this. */
#define OPENING_NSEC NSEC_PER_SEC

static uint64_t rotation_record(const struct rotation *r)
{
	return channel_record(r->port->channel);
}

/* How far the sink is behind the last boundary; a header has none. */
static uint64_t rotation_past(const struct rotation *r)
{
	uint64_t bytes = r->port->bytes;

	return bytes < r->header ? 1 : record_past(rotation_record(r), bytes - r->led);
}

/* Looks for it in what is in hand: r->found, and r->before. */
static void rotation_find(struct rotation *r, const struct half *half, bool begun)
{
	const struct bounce *b = &half->bounce;
	const struct chunk bytes = r->port->copying ?
					   (struct chunk){ .stage = -1, .mem = b->buf + b->at, .len = b->len } :
					   (struct chunk){ .stage = half->pipe.rd, .len = half->bytes };
	uint64_t record = rotation_record(r);
	ssize_t n = 0;

	if (record == RECORD_WRITES && begun)
		n = (ssize_t)half->bytes;
	else if (record != RECORD_WRITES && !r->waited)
		n = record_next(record, rotation_past(r), &bytes);
	r->found = n >= 0;
	r->before = r->found ? (size_t)n : 0;
	if (r->found)
		loop_io_cancel(&r->patience);
	else /* it comes later, or cannot be told yet */
		loop_io_timer(&r->patience, RECORD_NSEC);
}

/* For the next file, or until the one before is closed, so that there can be another; for a while. */
static bool rotation_waits(struct rotation *r)
{
	if (r->waited || (!r->opening && rotation_quiet(r)))
		return false;
	loop_io_timer(&r->patience, OPENING_NSEC);
	return true;
}

/* At the boundary, with bytes in hand that are the next file's. Returns how many the present one gets nevertheless. */
static size_t rotation_pass(struct rotation *r, const struct half *half)
{
	rotation_begin(r);
	if (rotation_ready(r) || rotation_waits(r))
		return 0;
	return half->bytes;
}

static size_t rotation_least(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

size_t rotation_share(struct rotation *r, const struct half *half, bool begun)
{
	/* (a long prologue leaves none; but no file has it alone) */
	uint64_t room = r->size > r->length ? r->size - r->length : 1;

	if (r->port->bytes < r->header)
		return rotation_least(half->bytes, r->header - r->port->bytes);
	rotation_look_at_clock(r);
	if (r->size && r->length >= r->size && !rotation_is_empty(r))
		r->due = true;
	if (!r->due && r->size && rotation_record(r) != RECORD_WRITES)
		return rotation_least(half->bytes, room);
	if (!r->due || loop_io_armed(&r->again))
		return half->bytes;
	if (!r->found)
		rotation_find(r, half, begun);
	if (!r->found)
		return half->bytes;
	if (r->before)
		return rotation_least(half->bytes, r->before);
	return rotation_pass(r, half);
}

bool rotation_rests(const struct rotation *r)
{
	return r->waited || (r->found && !r->before) || !rotation_past(r);
}

void rotation_set_header(struct rotation *r, size_t led, size_t header)
{
	r->led = led;
	r->header = header;
}

void rotation_lead(struct rotation *r, size_t bytes)
{
	r->lead = bytes;
	r->length += bytes;
}

void rotation_wrote(struct rotation *r, size_t bytes)
{
	r->length += bytes;
	r->found &= bytes <= r->before; /* else it is behind */
	r->before -= bytes < r->before ? bytes : r->before;
}
