/*
 * How a queue loses bytes on purpose: whole chunks, or its first bytes.
 *
 * A chunk in the middle can be thrown away only where a pipe begins with it, so what is before it in the same pipe
 * moves into one of its own first. That may be refused, and then nothing is lost.
 */
#include "queue-parts.h"

#include <errno.h>

#include "sys.h"

/* Drops @len bytes from @link on. The first pipe that is emptied is the spare one, where there is none. */
static int queue_drop_from(struct queue *q, struct queue_link *link, size_t len, int sink)
{
	while (len && link) {
		struct queue_link *next = TAILQ_NEXT(link, entry);
		size_t n = link->bytes < len ? link->bytes : len;
		size_t dropped = n == link->bytes && q->spare ? n : pipe_drop(link->pipe.rd, sink, n);

		queue_link_taken(q, link, dropped);
		if (dropped < n)
			return -EIO;
		len -= n;
		link = next;
	}
	return 0;
}

/* The first @len bytes of @link get a link of their own, before it; more than one where pipes are small. */
static int queue_link_split(struct queue *q, struct queue_link *link, size_t len)
{
	while (len) {
		struct queue_link *first;
		int err = queue_link_create(&first);
		ssize_t n;

		if (err < 0)
			return err;
		n = sys.splice(link->pipe.rd, first->pipe.wr, len);
		if (n <= 0) {
			queue_link_destroy(first);
			return n < 0 ? (int)n : -EIO;
		}
		first->bytes = (size_t)n;
		queue_link_shrink(first);
		queue_link_insert(q, first, link);
		link->bytes -= (size_t)n;
		q->bytes -= (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* *out: the link that begins behind the first @len bytes, made if need be. Returns 0 or a negative errno. */
static int queue_link_at(struct queue *q, size_t len, struct queue_link **out)
{
	struct queue_link *link = TAILQ_FIRST(&q->links);

	while (link && len >= link->bytes) {
		len -= link->bytes;
		link = TAILQ_NEXT(link, entry);
	}
	*out = link;
	return link ? queue_link_split(q, link, len) : -EIO;
}

ssize_t queue_drop(struct queue *q, int sink)
{
	size_t len = chunk_bounds_oldest(&q->bounds);
	struct queue_link *link;
	int err;

	if (!len)
		return 0;
	err = queue_link_at(q, chunk_bounds_partial(&q->bounds), &link);
	if (err == 0)
		err = queue_drop_from(q, link, len, sink);
	if (err < 0)
		return err;
	chunk_bounds_drop(&q->bounds);
	return (ssize_t)len;
}

int queue_drop_first(struct queue *q, int sink)
{
	size_t partial = chunk_bounds_partial(&q->bounds), len = partial ? partial : chunk_bounds_oldest(&q->bounds);

	return queue_skip(q, len ? len : q->bytes, sink);
}

int queue_skip(struct queue *q, size_t len, int sink)
{
	chunk_bounds_take(&q->bounds, len);
	return queue_drop_from(q, TAILQ_FIRST(&q->links), len, sink);
}
