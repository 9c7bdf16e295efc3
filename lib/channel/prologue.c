/*
 * What is kept of a stream's beginning is copied, out of a duplicate of the chunk (tee(2)): that is once a stream. All of it
 * is there or none: a header of which a part is missing would be worse than none.
 */
#include "prologue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipe.h"
#include "queue.h"
#include "sys.h"

void prologue_finish(struct prologue *p)
{
	free(p->bytes);
	*p = (struct prologue){ 0 };
}

int prologue_keep(struct prologue *p, size_t bytes)
{
	char *room = NULL;

	if (bytes && bytes == p->first)
		return 0; /* what is kept stays */
	if (bytes)
		room = malloc(bytes);
	if (bytes && !room)
		return -ENOMEM;
	free(p->bytes);
	*p = (struct prologue){ .bytes = room, .first = bytes, .edition = p->edition + 1 };
	return 0;
}

int prologue_give(struct prologue *p, const char *bytes, size_t len)
{
	char *copy = malloc(len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	free(p->bytes);
	*p = (struct prologue){ .bytes = copy, .len = len, .edition = p->edition + 1 };
	return 0;
}

void prologue_begin(struct prologue *p)
{
	if (!p->first)
		return;
	p->len = 0;
	p->edition++;
}

static int prologue_take_staged(struct prologue *p, const struct chunk *chunk, size_t want)
{
	struct pipe copy = PIPE_NONE;
	ssize_t n = pipe_open(&copy, PIPE_SIZE);
	size_t got = 0;

	if (n > 0)
		n = sys.tee(chunk->stage, copy.wr, want);
	while (n > 0 && got < want) {
		n = sys.read(copy.rd, p->bytes + p->len + got, want - got);
		got += n > 0 ? (size_t)n : 0;
	}
	pipe_close(&copy);
	if (got < want)
		return n < 0 ? (int)n : -EIO;
	p->len += want;
	return 0;
}

int prologue_take(struct prologue *p, const struct chunk *chunk)
{
	size_t want = p->first - p->len;

	want = want < chunk->len ? want : chunk->len;
	if (chunk->stage >= 0)
		return prologue_take_staged(p, chunk, want);
	memcpy(p->bytes + p->len, chunk->mem, want);
	p->len += want;
	return 0;
}

size_t prologue_before(const struct prologue *p, uint64_t from)
{
	uint64_t want = p->first && from < p->first ? from : p->first ? p->first : p->len;

	return want <= p->len ? (size_t)want : 0;
}

/* The last of its first @to bytes, as many as a pipe holds. */
static int prologue_put_part(const struct prologue *p, size_t *to, struct queue *q)
{
	struct pipe pipe = PIPE_NONE;
	int size = pipe_open(&pipe, 0), err;
	size_t from = 0;
	ssize_t n;

	if (size < 0)
		return size;
	if (*to - from > (size_t)size)
		from = *to - (size_t)size;
	n = sys.write(pipe.wr, p->bytes + from, *to - from);
	err = n == (ssize_t)(*to - from) ? queue_prepend(q, &pipe, (size_t)n, size) : n < 0 ? (int)n : -ENOMEM;
	pipe_close(&pipe);
	if (err == 0)
		*to = from;
	return err;
}

int prologue_put(const struct prologue *p, size_t len, struct queue *q, int sink)
{
	size_t left = len;
	int err = 0;

	while (left && err == 0) /* (more than one pipe, where they are small) */
		err = prologue_put_part(p, &left, q);
	if (err < 0)
		queue_skip(q, len - left, sink);
	return err;
}
