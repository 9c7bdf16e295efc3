/*
 * What is kept is the bytes that are asked for and somewhat more, in which the boundary (record.h) before them is: so
 * where a new tap begins is looked for when there is one (queue_cut()), in its own copy.
 *
 * Nobody reads a replay, so nothing would ever make room for it: where it is in the way (no descriptors, too much), it
 * loses its oldest bytes, and never holds the stream up.
 */
#include "replay.h"

#include "worker.h"

void replay_init(struct replay *r)
{
	queue_init(&r->queue);
}

void replay_finish(struct replay *r)
{
	queue_finish(&r->queue);
}

int replay_reserve(struct replay *r, struct worker *w)
{
	struct queue *q = &r->queue;
	int size = r->size ? queue_reserve(q) : PIPE_SIZE;

	/* Nobody reads it, so what waited for its pipes would wait for ever: older chunks leave theirs. */
	while (size < 0 && q->bytes && queue_drop_first(q, w->null) == 0)
		size = q->spare ? queue_reserve(q) : size;
	return size;
}

int replay_take(struct replay *r, const struct chunk *chunk)
{
	int err = r->size ? queue_append(&r->queue, chunk, 0) : 0;

	if (err < 0)
		queue_clear(&r->queue);
	return err;
}

/* More than this goes: it is a few pages, of which one may be cut, and a line. */
#define SLACK_BYTES (2ul * RECORD_LINE_MAX)

static size_t replay_first(const struct queue *q)
{
	size_t partial = chunk_bounds_partial(&q->bounds);

	return partial ? partial : chunk_bounds_oldest(&q->bounds);
}

/* Of a large chunk the first bytes go: whole records, where their number of bytes tells them apart. */
static int replay_trim_first(struct replay *r, struct worker *w, uint64_t record)
{
	struct queue *q = &r->queue;
	size_t n = replay_excess(r);
	int err;

	if (n <= SLACK_BYTES || (record_has_size(record) && q->bounds.partial))
		return 0;
	n -= SLACK_BYTES / 2;
	if (record_has_size(record))
		n -= n % record;
	err = n ? queue_skip(q, n, w->null) : 0;
	if (err == 0 && record_has_size(record))
		chunk_bounds_settle(&q->bounds);
	return err;
}

void replay_trim(struct replay *r, struct worker *w, uint64_t record)
{
	struct queue *q = &r->queue;

	if (!r->size)
		queue_finish(q);
	while (q->bytes - replay_first(q) >= r->size && q->bytes > replay_first(q))
		if (queue_drop_first(q, w->null) < 0)
			queue_clear(q);
	if (replay_trim_first(r, w, record) < 0)
		queue_clear(q);
	/* (what is kept beyond the size may take a pipe of its own) */
	while (queue_wide(q, r->size + PIPE_SIZE))
		if (queue_drop_first(q, w->null) < 0)
			queue_clear(q);
}

size_t replay_excess(const struct replay *r)
{
	return r->queue.bytes > r->size ? r->queue.bytes - r->size : 0;
}
