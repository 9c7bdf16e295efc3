/*
 * A double buffer: two pipes that nobody else uses, between a device that may take its time and a channel that may not.
 * One is filled while the other is emptied.
 *
 * A splice holds its pipe's lock for as long as the device takes, and whoever touched the channel's own pipe meanwhile
 * would wait too. Between a half and the channel's pipe the bytes move at once, by reference. A source that copies
 * (spfs.stable) reads into memory instead, and writes from there into the channel's pipe; a sink that
 * copies reads from its pipe into memory, which is written from there.
 */
#pragma once

#include <stdbool.h>

#include "bounce.h"
#include "pipe.h"

struct loop;

#define HALVES 2

struct half {
	struct pipe pipe;
	int size;             /* of the pipe, in bytes */
	size_t bytes;         /* that are in it */
	struct bounce bounce; /* of a port that copies: where they are instead */
};

struct double_buffer {
	struct half halves[HALVES];
	unsigned fill;  /* the half to fill next */
	unsigned drain; /* the half to empty next */
};

static inline struct half *double_buffer_filling(struct double_buffer *b)
{
	return &b->halves[b->fill];
}

static inline struct half *double_buffer_draining(struct double_buffer *b)
{
	return &b->halves[b->drain];
}

/* The half at hand is full, or empty: on to the other one. */
static inline void double_buffer_filled(struct double_buffer *b)
{
	b->fill = (b->fill + 1) % HALVES;
}

static inline void double_buffer_drained(struct double_buffer *b)
{
	b->drain = (b->drain + 1) % HALVES;
}

static inline size_t double_buffer_bytes(const struct double_buffer *b)
{
	return b->halves[0].bytes + b->halves[1].bytes;
}

/* Nothing is open yet. */
#define DOUBLE_BUFFER_NONE ((struct double_buffer){ .halves = { { .pipe = PIPE_NONE }, { .pipe = PIPE_NONE } } })

/*
 * Opens what is DOUBLE_BUFFER_NONE. Returns 0, -EMFILE or another negative errno of pipe2(2); double_buffer_finish() is
 * owed either way.
 */
int double_buffer_open(struct double_buffer *b);

/*
 * Drops what is in it. @busy: a request of @loop that was cancelled may still hold one of the pipes, locked; they are
 * then closed once it is through. @uid: whose they are.
 */
void double_buffer_finish(struct double_buffer *b, bool busy, struct loop *loop, uid_t uid);
