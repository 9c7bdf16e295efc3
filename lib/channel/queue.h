/*
 * A queue: bytes on their way to one reader, by reference, in a chain of pipes.
 *
 * Links are filled at the tail and drained at the head. A pipe cannot be asked how many references
 * it still takes, so an append tries: what the tail does not take goes into the spare link, which is
 * empty and at least as large as the stage, and therefore takes all of it. So a chunk may be taken
 * out of the origin only after queue_reserve() of every reader: from then on nothing can fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "chunk-bounds.h"
#include "pipe.h"
#include "record.h"

struct queue_link;

struct queue {
	TAILQ_HEAD(queue_links, queue_link) links;
	struct queue_link *spare; /* empty; what queue_reserve() made */
	unsigned count;           /* of the links */
	size_t bytes;
	size_t capacity; /* of the links: what they hold at least in pages, however few bytes are in each */
	struct chunk_bounds bounds;
};

/* A chunk that is being handed to every reader: in the stage pipe, or small and in memory. */
struct chunk {
	int stage; /* read end of the stage; -1: in memory */
	const char *mem;
	size_t len;
	int sink; /* /dev/null, to skip bytes of a duplicate */
	struct chunk_start start;
};

/*
 * Copies the chunk from its byte @skip on into the pipe @fd, by reference where it is staged: then
 * always from its first byte. Returns the bytes taken or a negative errno.
 */
ssize_t chunk_copy(const struct chunk *chunk, size_t skip, int fd);

void queue_init(struct queue *q);

/* Drops what is queued and closes every pipe. */
void queue_finish(struct queue *q);

/* Drops what is queued. */
void queue_clear(struct queue *q);

/* Closes the spare pipe; for a queue that will be idle. */
void queue_rest(struct queue *q);

/*
 * Makes sure of a spare link. Returns its capacity in bytes: no chunk may fill a larger stage. Or a
 * negative errno: EMFILE (also before the last descriptors are used up, where the queue is long: those are for
 * others), ENFILE, ENOMEM.
 */
int queue_reserve(struct queue *q);

/*
 * Appends the chunk from its byte @skip on, after queue_reserve(); what is before has gone to the reader. Returns 0, or
 * a negative errno that the kernel should never give, with a part of the chunk appended.
 */
int queue_append(struct queue *q, const struct chunk *chunk, size_t skip);

/* The same where what is before is left out: @from is a boundary (record.h). */
int queue_append_from(struct queue *q, const struct chunk *chunk, size_t from);

/* Moves a chunk from the pipe @fd to the tail, after queue_reserve(). Returns its bytes or a negative errno. */
ssize_t queue_move(struct queue *q, int fd, struct chunk_start start);

/*
 * Drops the oldest chunk of which nothing has gone to the reader, from a boundary to a boundary; @sink is
 * /dev/null. Returns its bytes, 0 where there is none, or a negative errno (EMFILE, ENFILE, ENOMEM) with the queue as
 * it was. Where nothing is left behind them, what comes next may have to be cut yet.
 */
ssize_t queue_drop(struct queue *q, int sink);

/*
 * Drops the first bytes up to the next boundary of @record at or after byte @at, for a queue of which nothing has gone to
 * a reader. Of whole writes the last one stays, be it before that, or the last page of a larger one. Returns 0 or a
 * negative errno, and the queue may have been cut elsewhere.
 */
int queue_cut(struct queue *q, size_t at, uint64_t record, int sink);

/*
 * Drops the oldest chunk, or what is left of it. Returns 0, or a negative errno that the kernel should never give. The
 * first pipe that comes free is the spare one, where there is none.
 */
int queue_drop_first(struct queue *q, int sink);

/* Drops the first @len bytes. Returns 0, or a negative errno that the kernel should never give. */
int queue_skip(struct queue *q, size_t len, int sink);

/*
 * Appends what @from holds, by reference, to the empty queue @q; where the kernel grants smaller pipes than before, the
 * last part of it. Returns 0, or a negative errno and @q is empty.
 */
int queue_duplicate(struct queue *q, const struct queue *from);

/*
 * Takes all that waits in the pipe @fd, which has @size bytes of capacity, back before everything queued. Returns the
 * bytes, or a negative errno (EMFILE, ENFILE, ENOMEM) and nothing was moved: a part of it would stand in the wrong place.
 */
ssize_t queue_take_back(struct queue *q, int fd, size_t size);

/*
 * Puts the @bytes in @pipe, whose capacity is @size, before everything queued. The pipe is the queue's
 * afterwards. Returns 0 or -ENOMEM, with @pipe still the caller's.
 */
int queue_prepend(struct queue *q, struct pipe *pipe, size_t bytes, int size);

/*
 * Moves up to @limit bytes into the pipe @fd while it has room. Returns 0 once the queue is empty or the limit is
 * reached, else -EAGAIN (the pipe is full), -EPIPE (nobody reads it) or another negative errno of splice(2).
 */
int queue_drain(struct queue *q, int fd, size_t limit, size_t *moved);

/* Duplicates up to @len of the first bytes into the pipe @fd. Returns their number or a negative errno. */
ssize_t queue_peek(const struct queue *q, int fd, size_t len);

/* Whether its pipes could hold so much more than @depth bytes that it is to hold no more pages. */
static inline bool queue_wide(const struct queue *q, uint64_t depth)
{
	return q->bytes && q->capacity >= depth + 2ul * PIPE_SIZE;
}

/*
 * Descriptors that a queue of @depth bytes may come to have open, of pipes of @size bytes: of as many as are not
 * queue_wide(), of the one that a chunk may need more, and of the spare one.
 */
static inline uint64_t queue_descriptors(uint64_t depth, int size)
{
	return 2 * ((depth + 2ul * PIPE_SIZE + (uint64_t)size - 1) / (uint64_t)size + 1);
}

/*
 * Whether it holds @depth bytes or more. References to less than a page take a whole one: so that few bytes do not
 * hold much memory, it is full as well once its pipes could hold two more than the depth.
 */
static inline bool queue_full(const struct queue *q, uint64_t depth)
{
	return (q->bytes && q->bytes >= depth) || queue_wide(q, depth);
}
