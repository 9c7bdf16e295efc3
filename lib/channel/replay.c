/*
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

void replay_trim(struct replay *r, struct worker *w, bool packets)
{
	struct queue *q = &r->queue;

	if (!r->size)
		queue_finish(q);
	while (q->bytes > r->size) {
		size_t excess = packets ? worker_first_packet(w, q) : q->bytes - r->size;

		if (!excess || queue_skip(q, excess, w->null) < 0)
			queue_clear(q);
	}
	while (queue_wide(q, r->size))
		if (queue_drop_first(q, w->null) < 0)
			queue_clear(q);
}
