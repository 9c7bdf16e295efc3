/*
 * A queue: bytes on their way to one reader, by reference, in a chain of pipes.
 *
 * Links are filled at the tail and drained at the head. A pipe cannot be asked how many references
 * it still takes, so an append tries: what the tail does not take goes into the spare link, which is
 * empty and at least as large as the stage, and therefore takes all of it. So a chunk may be taken
 * out of the origin only after queue_reserve() of every reader: from then on nothing can fail.
 * A queue of more than QUEUE_LINKS links is full.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "pipe.h"

struct queue_link;

struct queue {
	TAILQ_HEAD(queue_links, queue_link) links;
	struct queue_link *spare; /* empty; what queue_reserve() made */
	unsigned count;           /* links with bytes */
	size_t bytes;
};

#define QUEUE_LINKS 1

/* A chunk that is being handed to every reader: in the stage pipe, or small and in memory. */
struct chunk {
	int stage;       /* read end of the stage; -1: in memory */
	const char *mem;
	size_t len;
	int sink;        /* /dev/null, to skip bytes of a duplicate */
};

/*
 * Copies the chunk from its byte @skip on into the pipe @fd, by reference where it is staged: then
 * always from its first byte. Returns the bytes taken or a negative errno.
 */
ssize_t chunk_copy(const struct chunk *chunk, size_t skip, int fd);

void queue_init(struct queue *q);

/* Drops what is queued and closes every pipe. */
void queue_finish(struct queue *q);

/* Closes the spare pipe; for a queue that will be idle. */
void queue_rest(struct queue *q);

/*
 * Makes sure of a spare link. Returns its capacity in bytes: no chunk may fill a larger stage. Or a
 * negative errno: EMFILE, ENFILE, ENOMEM.
 */
int queue_reserve(struct queue *q);

/*
 * Appends the chunk from its byte @skip on, after queue_reserve(). Returns 0, or a negative errno
 * that the kernel should never give, with a part of the chunk appended.
 */
int queue_append(struct queue *q, const struct chunk *chunk, size_t skip);

/*
 * Puts the @bytes in @pipe, whose capacity is @size, before everything queued. The pipe is the queue's
 * afterwards. Returns 0 or -ENOMEM, with @pipe still the caller's.
 */
int queue_prepend(struct queue *q, struct pipe *pipe, size_t bytes, int size);

/*
 * Moves bytes into the pipe @fd while it has room. Returns 0 once the queue is empty, else
 * -EAGAIN (the pipe is full), -EPIPE (nobody reads it) or another negative errno of splice(2).
 */
int queue_drain(struct queue *q, int fd, size_t *moved);

/* Bytes that it takes before it is full, with the pipes that the kernel has granted it. */
size_t queue_size(const struct queue *q);

static inline bool queue_full(const struct queue *q)
{
	return q->count > QUEUE_LINKS;
}
