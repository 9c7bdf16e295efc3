/*
 * Chunk bounds: where the chunks of a queue end, so that whole ones can be dropped from its head.
 *
 * A chunk that begins within a record (record.h) gives the rest of that to the one before: so each bound is one of
 * records as well. Only where a line ends is not known: a chunk that perhaps begins within one is loose, until its
 * beginning is looked at. Where there are many chunks, those of less than a page share a bound until they make one. A
 * chunk of which a part has gone to the reader is the partial: what is left of it is never dropped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a chunk begins. Zero: with a record. */
struct chunk_start {
	size_t ahead; /* bytes of the record that has begun before it, perhaps more than it has */
	bool loose;   /* it may begin within a line; @ahead is 0 */
	bool first;   /* of its stream */
};

struct chunk_bounds {
	uint32_t *sizes; /* of the chunks, a ring; CHUNK_LOOSE is a flag of theirs */
	unsigned room;   /* a power of two */
	unsigned head, count;
	bool partial; /* the first one is */
};

#define CHUNK_LOOSE (1u << 31)

/* A chunk of @bytes comes behind the others. Out of memory: the last one grows. */
void chunk_bounds_append(struct chunk_bounds *m, size_t bytes, struct chunk_start start);

/* Appends the chunks of @from, but for its first @skip bytes. */
void chunk_bounds_copy(struct chunk_bounds *m, const struct chunk_bounds *from, size_t skip);

/* The first @bytes are with the reader. */
void chunk_bounds_take(struct chunk_bounds *m, size_t bytes);

/* @bytes that were with the reader are back. Out of memory: the first one grows. */
void chunk_bounds_give_back(struct chunk_bounds *m, size_t bytes);

/* What is left of the partial; 0: there is none. */
size_t chunk_bounds_partial(const struct chunk_bounds *m);

/* The size of the oldest whole chunk; 0: there is none. */
size_t chunk_bounds_oldest(const struct chunk_bounds *m);

/* Whether that one is loose. */
bool chunk_bounds_loose(const struct chunk_bounds *m);

/* The oldest whole chunk is gone. */
void chunk_bounds_drop(struct chunk_bounds *m);

/* The first @bytes behind the partial are gone, or belong to it; what is behind them is whole, and not loose. */
void chunk_bounds_cut(struct chunk_bounds *m, size_t bytes);
void chunk_bounds_keep(struct chunk_bounds *m, size_t bytes);

/* What is first is whole, and not loose. */
void chunk_bounds_settle(struct chunk_bounds *m);

/* Forgets all. */
void chunk_bounds_finish(struct chunk_bounds *m);
