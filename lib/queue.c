#include "queue.h"

#include <errno.h>
#include <stdlib.h>

#include "fifo.h"
#include "pipe.h"
#include "sys.h"

struct queue_link {
	TAILQ_ENTRY(queue_link) entry;
	struct pipe pipe;
	size_t bytes;
	int capacity;
};

void queue_init(struct queue *q)
{
	TAILQ_INIT(&q->links);
	q->spare = NULL;
	q->count = 0;
	q->bytes = 0;
}

static void link_destroy(struct queue_link *link)
{
	if (!link)
		return;
	pipe_close(&link->pipe);
	free(link);
}

void queue_rest(struct queue *q)
{
	link_destroy(q->spare);
	q->spare = NULL;
}

void queue_finish(struct queue *q)
{
	struct queue_link *link;

	while ((link = TAILQ_FIRST(&q->links))) {
		TAILQ_REMOVE(&q->links, link, entry);
		link_destroy(link);
	}
	queue_rest(q);
	queue_init(q);
}

int queue_reserve(struct queue *q)
{
	struct queue_link *link;
	int size;

	if (q->spare)
		return q->spare->capacity;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->pipe = PIPE_NONE;
	size = pipe_open(&link->pipe, PIPE_SIZE);
	if (size < 0) {
		free(link);
		return size;
	}
	link->capacity = size;
	q->spare = link;
	return size;
}

static void link_put(struct queue *q, struct queue_link *link)
{
	if (q->spare)
		link_destroy(link);
	else
		q->spare = link;
}

ssize_t chunk_copy(const struct chunk *chunk, size_t skip, int fd)
{
	return chunk->stage < 0 ? sys.write(fd, chunk->mem + skip, chunk->len - skip) :
				  sys.tee(chunk->stage, fd, chunk->len);
}

/* The spare link takes the chunk's bytes from @skip on: tee(2) cannot skip, so they go after. */
static int append_link(struct queue *q, const struct chunk *chunk, size_t skip)
{
	struct queue_link *link = q->spare;
	size_t want = chunk->len - (chunk->stage < 0 ? skip : 0);
	ssize_t n = chunk_copy(chunk, skip, link->pipe.wr);
	int err;

	if (n != (ssize_t)want) {
		queue_rest(q);
		return n < 0 ? (int)n : -ENOBUFS;
	}
	err = chunk->stage < 0 ? 0 : pipe_drop(link->pipe.rd, chunk->sink, skip);
	if (err < 0) {
		queue_rest(q);
		return err;
	}
	q->spare = NULL;
	link->bytes = chunk->len - skip;
	TAILQ_INSERT_TAIL(&q->links, link, entry);
	q->count++;
	q->bytes += link->bytes;
	return 0;
}

int queue_append(struct queue *q, const struct chunk *chunk, size_t skip)
{
	struct queue_link *tail = TAILQ_LAST(&q->links, queue_links);
	ssize_t n = 0;

	if (tail && skip == 0) {
		n = chunk_copy(chunk, 0, tail->pipe.wr);
		if (n < 0)
			n = 0;
		tail->bytes += (size_t)n;
		q->bytes += (size_t)n;
		if ((size_t)n == chunk->len)
			return 0;
	}
	return append_link(q, chunk, (size_t)n + skip);
}

int queue_prepend(struct queue *q, struct pipe *pipe, size_t bytes, int size)
{
	struct queue_link *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->pipe = *pipe;
	link->bytes = bytes;
	link->capacity = size;
	*pipe = PIPE_NONE;
	TAILQ_INSERT_HEAD(&q->links, link, entry);
	q->count++;
	q->bytes += bytes;
	return 0;
}

int queue_drain(struct queue *q, int fd, size_t *moved)
{
	struct queue_link *link;

	while ((link = TAILQ_FIRST(&q->links))) {
		ssize_t n = sys.splice(link->pipe.rd, fd, link->bytes);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EIO;
		link->bytes -= (size_t)n;
		q->bytes -= (size_t)n;
		*moved += (size_t)n;
		if (link->bytes)
			continue;
		TAILQ_REMOVE(&q->links, link, entry);
		q->count--;
		link_put(q, link);
	}
	return 0;
}

size_t queue_size(const struct queue *q)
{
	const struct queue_link *link = TAILQ_FIRST(&q->links);
	size_t size = 0;
	unsigned left;

	for (left = QUEUE_LINKS; link && left; left--) {
		size += (size_t)link->capacity;
		link = TAILQ_NEXT(link, entry);
	}
	return q->spare ? size + left * (size_t)q->spare->capacity : size;
}
