/*
 * How a queue loses bytes on purpose: whole chunks, or its first bytes.
 *
 * Of lines, the first that goes and the first that is left are looked for where they are to be: what is before the first
 * belongs to the partial from then on, and so is looked at but once.
 *
 * A chunk in the middle can be thrown away only where a pipe begins with it, so what is before it in the same pipe
 * moves into one of its own first. That may be refused, and then nothing is lost.
 */
#include "queue-parts.h"

#include <errno.h>

#include "sys.h"

int queue_drop_from(struct queue *q, struct queue_link *link, size_t len, int sink)
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

int queue_link_at(struct queue *q, size_t len, struct queue_link **out)
{
	struct queue_link *link = TAILQ_FIRST(&q->links);

	while (link && len >= link->bytes) {
		len -= link->bytes;
		link = TAILQ_NEXT(link, entry);
	}
	*out = link;
	return link ? queue_link_split(q, link, len) : -EIO;
}

/* What goes begins behind the end of the line that is before it, *at. Returns 0, or a negative errno of the search. */
static int queue_keep_line(struct queue *q, size_t *at, struct queue_link **link)
{
	ssize_t n;
	int err = queue_link_at(q, *at, link);

	if (err < 0 || !chunk_bounds_loose(&q->bounds))
		return err;
	n = queue_link_find_line(*link);
	if (n < 0)
		return (int)n;
	chunk_bounds_keep(&q->bounds, (size_t)n);
	*at += (size_t)n;
	return n && chunk_bounds_oldest(&q->bounds) ? queue_link_at(q, *at, link) : 0;
}

/* What is left behind byte @at begins with the next line. Returns how many bytes go for that, or a negative errno. */
static ssize_t queue_drop_line(struct queue *q, size_t at, int sink)
{
	struct queue_link *link;
	ssize_t n;
	int err;

	if (!chunk_bounds_loose(&q->bounds))
		return 0;
	err = queue_link_at(q, at, &link);
	if (err < 0)
		return err;
	n = queue_link_find_line(link);
	if (n < 0)
		n = (ssize_t)(q->bytes - at);
	err = queue_drop_from(q, link, (size_t)n, sink);
	chunk_bounds_cut(&q->bounds, (size_t)n);
	return err < 0 ? err : n;
}

ssize_t queue_drop(struct queue *q, int sink)
{
	size_t at = chunk_bounds_partial(&q->bounds), len;
	struct queue_link *link;
	ssize_t more;
	int err;

	if (!chunk_bounds_oldest(&q->bounds))
		return 0;
	err = queue_keep_line(q, &at, &link);
	len = chunk_bounds_oldest(&q->bounds);
	if (err == -ENOENT || (err == 0 && !len)) /* all of it is the rest of one line */
		return 0;
	if (err == 0)
		err = queue_drop_from(q, link, len, sink);
	if (err < 0)
		return err;
	chunk_bounds_drop(&q->bounds);
	more = queue_drop_line(q, at, sink);
	return (ssize_t)len + (more < 0 ? 0 : more);
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
