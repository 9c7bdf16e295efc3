/*
 * Where a copy of a replay begins: at a boundary, of which the bounds tell. Within a chunk that is of many writes only its
 * references do. They are looked at one by one, through a duplicate in a pipe that has room for one, and go that way.
 */
#include "queue-parts.h"

#include <errno.h>

#include "sys.h"

ssize_t queue_link_find_line(struct queue_link *link)
{
	size_t past = 0;

	for (; link && past < RECORD_LINE_MAX; link = TAILQ_NEXT(link, entry)) {
		struct chunk bytes = { .stage = link->pipe.rd, .len = link->bytes };
		ssize_t n = record_next(RECORD_LINE, 1, &bytes);

		if (n != -ENOENT)
			return n > 0 ? (ssize_t)past + n : n;
		past += link->bytes;
	}
	return past < RECORD_LINE_MAX ? -ENOENT : 0;
}

/* The bytes of the first reference, as far as they are of the first chunk. */
static size_t queue_first_write(const struct queue *q, struct pipe *one, int sink)
{
	size_t chunk = q->bounds.partial ? chunk_bounds_partial(&q->bounds) : chunk_bounds_oldest(&q->bounds);
	ssize_t n = one->rd < 0 ? 0 : queue_peek(q, one->wr, 1 << 30);

	if (n > 0)
		pipe_drop(one->rd, sink, (size_t)n);
	return n > 0 && (size_t)n < chunk ? (size_t)n : chunk;
}

/* Out of descriptors the first chunk goes whole. */
static int queue_cut_writes(struct queue *q, size_t at, int sink)
{
	struct pipe one = PIPE_NONE;
	int err = 0;

	if (q->bounds.partial && !at)
		at = 1;
	if (at && pipe_open(&one, 0) >= 0 && sys.resize(one.wr, 1) < 0)
		pipe_close(&one);
	while (at && err == 0) {
		size_t n = queue_first_write(q, &one, sink);

		if (n >= q->bytes)
			break;
		err = queue_skip(q, n, sink);
		at -= n < at ? n : at;
	}
	pipe_close(&one);
	return err;
}

/* The first chunk, of which @at bytes are to go at least, begins with a record unless it is partial. */
static int queue_cut_bytes(struct queue *q, size_t at, uint64_t record, int sink)
{
	size_t len = chunk_bounds_partial(&q->bounds), records = (at + record - 1) / record * record;

	if (!len)
		len = records < chunk_bounds_oldest(&q->bounds) ? records : chunk_bounds_oldest(&q->bounds);
	return queue_skip(q, len, sink);
}

/* A line that ends right before byte @at is a boundary there. */
static int queue_cut_lines(struct queue *q, size_t at, int sink)
{
	int err = at > 1 ? queue_skip(q, at - 1, sink) : 0;
	ssize_t n;

	if (err < 0 || !(at || q->bounds.partial || chunk_bounds_loose(&q->bounds)))
		return err;
	n = queue_link_find_line(TAILQ_FIRST(&q->links));
	return queue_skip(q, n < 0 ? q->bytes : n || !at ? (size_t)n : 1, sink);
}

int queue_cut(struct queue *q, size_t at, uint64_t record, int sink)
{
	int err;

	for (;;) {
		size_t first = q->bounds.partial ? chunk_bounds_partial(&q->bounds) : chunk_bounds_oldest(&q->bounds);

		if (!first || first > at || (first == q->bytes && record == RECORD_WRITES))
			break;
		if (record == RECORD_LINE && first == at)
			break; /* its last byte tells whether what is behind it begins with a line */
		err = queue_skip(q, first, sink);
		if (err < 0)
			return err;
		at -= first;
	}
	if (!q->bytes)
		return 0;
	if (record == RECORD_LINE || chunk_bounds_loose(&q->bounds))
		err = queue_cut_lines(q, at, sink);
	else if (record != RECORD_WRITES)
		err = queue_cut_bytes(q, at, record, sink);
	else
		err = queue_cut_writes(q, at, sink);
	chunk_bounds_settle(&q->bounds);
	return err;
}
