/*
 * A queue is a list of pipes. Bytes go in at the tail of the last and come out at the head of the first; nothing is
 * copied, so what must stand before something else, or be cut out, gets a pipe of its own (tee(2) cannot skip,
 * splice(2) cannot insert). An empty link is never in the list: one is kept as the spare, and the others are closed.
 *
 * The spare is what makes a chunk certain to fit: it is made before the chunk is taken from its writer, when it can
 * still be refused. What the kernel then does against its word costs a part of that chunk, and the caller is told.
 */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>

#include "fifo.h"
#include "queue-parts.h"
#include "sys.h"

/* A queue with this many links holds much. */
#define MANY_LINKS 4

void queue_init(struct queue *q)
{
	*q = (struct queue){ 0 };
	TAILQ_INIT(&q->links);
}

void queue_link_destroy(struct queue_link *link)
{
	if (!link)
		return;
	pipe_close(&link->pipe);
	free(link);
}

void queue_link_insert(struct queue *q, struct queue_link *link, struct queue_link *before)
{
	if (before)
		TAILQ_INSERT_BEFORE(before, link, entry);
	else
		TAILQ_INSERT_TAIL(&q->links, link, entry);
	q->count++;
	q->capacity += (size_t)link->capacity;
	q->bytes += link->bytes;
}

void queue_link_remove(struct queue *q, struct queue_link *link)
{
	TAILQ_REMOVE(&q->links, link, entry);
	q->count--;
	q->capacity -= (size_t)link->capacity;
	q->bytes -= link->bytes;
}

void queue_rest(struct queue *q)
{
	queue_link_destroy(q->spare);
	q->spare = NULL;
}

void queue_clear(struct queue *q)
{
	struct queue_link *link;

	while ((link = TAILQ_FIRST(&q->links))) {
		queue_link_remove(q, link);
		queue_link_destroy(link);
	}
	chunk_bounds_finish(&q->bounds);
}

void queue_finish(struct queue *q)
{
	queue_clear(q);
	queue_rest(q);
}

int queue_link_create(struct queue_link **out)
{
	struct queue_link *link = calloc(1, sizeof(*link));
	int size;

	if (!link)
		return -ENOMEM;
	link->pipe = PIPE_NONE;
	size = pipe_open(&link->pipe, PIPE_SIZE);
	if (size < 0) {
		free(link);
		return size;
	}
	link->capacity = size;
	*out = link;
	return 0;
}

static int queue_link_check(const struct queue_link *link, int (*check)(int fd))
{
	return check(link->pipe.rd > link->pipe.wr ? link->pipe.rd : link->pipe.wr);
}

int queue_reserve(struct queue *q)
{
	struct queue_link *link = q->spare;
	int err;

	if (link)
		return link->capacity;
	err = queue_link_create(&link);
	if (err < 0)
		return err;
	err = q->count < MANY_LINKS ? 0 : queue_link_check(link, fifo_fd_check_many);
	if (err < 0) {
		queue_link_destroy(link);
		return err;
	}
	q->spare = link;
	return link->capacity;
}

static void queue_link_put(struct queue *q, struct queue_link *link)
{
	if (q->spare || link->shrunk)
		queue_link_destroy(link);
	else
		q->spare = link;
}

ssize_t chunk_copy(const struct chunk *chunk, size_t skip, int fd)
{
	return chunk->stage < 0 ? sys.write(fd, chunk->mem + skip, chunk->len - skip) :
				  sys.tee(chunk->stage, fd, chunk->len);
}

/* The spare link takes the chunk's bytes from @skip on: tee(2) cannot skip, so they go after. */
static int queue_append_link(struct queue *q, const struct chunk *chunk, size_t skip)
{
	struct queue_link *link = q->spare;
	size_t want = chunk->len - (chunk->stage < 0 ? skip : 0);
	ssize_t n = chunk_copy(chunk, skip, link->pipe.wr);

	if (n != (ssize_t)want) {
		queue_rest(q);
		return n < 0 ? (int)n : -ENOBUFS;
	}
	if (chunk->stage >= 0 && pipe_drop(link->pipe.rd, chunk->sink, skip) != skip) {
		queue_rest(q);
		return -EIO;
	}
	q->spare = NULL;
	link->bytes = chunk->len - skip;
	queue_link_insert(q, link, NULL);
	return 0;
}

/* @begun: what is before @skip has gone to the reader. */
static int queue_append_rest(struct queue *q, const struct chunk *chunk, size_t skip, bool begun)
{
	struct chunk_start start = skip ? (struct chunk_start){ .first = true } : chunk->start;
	struct queue_link *tail = TAILQ_LAST(&q->links, queue_links);
	ssize_t n = 0;
	int err = 0;

	if (tail && skip == 0) {
		n = chunk_copy(chunk, 0, tail->pipe.wr);
		if (n < 0)
			n = 0;
		tail->bytes += (size_t)n;
		q->bytes += (size_t)n;
	}
	if ((size_t)n < chunk->len)
		err = queue_append_link(q, chunk, (size_t)n + skip);
	chunk_bounds_append(&q->bounds, err == 0 ? chunk->len - skip : (size_t)n, start);
	/* (a chunk of which the reader has a part already is alone here) */
	q->bounds.partial |= begun && q->bounds.count;
	return err;
}

int queue_append(struct queue *q, const struct chunk *chunk, size_t skip)
{
	return queue_append_rest(q, chunk, skip, skip > 0);
}

int queue_append_from(struct queue *q, const struct chunk *chunk, size_t from)
{
	return queue_append_rest(q, chunk, from, false);
}

ssize_t queue_move(struct queue *q, int fd, struct chunk_start start)
{
	struct queue_link *tail = TAILQ_LAST(&q->links, queue_links);
	ssize_t n = tail ? sys.splice(fd, tail->pipe.wr, 1 << 30) : -EAGAIN;

	if (n > 0) {
		tail->bytes += (size_t)n;
		q->bytes += (size_t)n;
	} else if (n == -EAGAIN) {
		tail = q->spare;
		n = sys.splice(fd, tail->pipe.wr, 1 << 30);
		if (n > 0) {
			q->spare = NULL;
			tail->bytes = (size_t)n;
			queue_link_insert(q, tail, NULL);
		}
	}
	if (n > 0)
		chunk_bounds_append(&q->bounds, (size_t)n, start);
	return n;
}

void queue_link_taken(struct queue *q, struct queue_link *link, size_t n)
{
	link->bytes -= n;
	q->bytes -= n;
	if (link->bytes)
		return;
	queue_link_remove(q, link);
	queue_link_put(q, link);
}

int queue_drain(struct queue *q, int fd, size_t limit, size_t *moved)
{
	struct queue_link *link;

	while (*moved < limit && (link = TAILQ_FIRST(&q->links))) {
		size_t want = link->bytes < limit - *moved ? link->bytes : limit - *moved;
		ssize_t n = sys.splice(link->pipe.rd, fd, want);

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		*moved += (size_t)n;
		chunk_bounds_take(&q->bounds, (size_t)n);
		queue_link_taken(q, link, (size_t)n);
	}
	return 0;
}

ssize_t queue_peek(const struct queue *q, int fd, size_t len)
{
	const struct queue_link *link = TAILQ_FIRST(&q->links);

	return link ? sys.tee(link->pipe.rd, fd, len) : 0;
}

int queue_duplicate(struct queue *q, const struct queue *from)
{
	const struct queue_link *link;
	int err = 0;

	TAILQ_FOREACH(link, &from->links, entry) {
		struct queue_link *copy;
		ssize_t n;

		err = queue_link_create(&copy);
		if (err < 0)
			break;
		n = sys.tee(link->pipe.rd, copy->pipe.wr, link->bytes);
		copy->bytes = n < 0 ? 0 : (size_t)n;
		queue_link_insert(q, copy, NULL);
		err = n < 0 ? (int)n : queue_link_check(copy, fifo_fd_check);
		if (err < 0)
			break;
		if (copy->bytes < link->bytes)
			queue_clear(q);
	}
	if (err < 0)
		queue_clear(q);
	else
		chunk_bounds_copy(&q->bounds, &from->bounds, from->bytes - q->bytes);
	return err < 0 ? err : 0;
}
