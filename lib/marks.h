/*
 * Marks: where the chunks of a queue end, so that whole ones can be dropped from its head.
 *
 * Chunks of less than a page share a mark until they make one. A chunk of which a part has gone to the reader is the
 * lead: what is left of it is never dropped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct marks {
	uint32_t *sizes; /* of the chunks, a ring */
	unsigned room;   /* a power of two */
	unsigned head, count;
	bool lead;       /* the first one is */
};

/* A chunk of @bytes comes behind the others. Out of memory: the last one grows. */
void marks_append(struct marks *m, size_t bytes);

/* Appends the chunks of @from, but for its first @skip bytes. */
void marks_copy(struct marks *m, const struct marks *from, size_t skip);

/* The first @bytes are with the reader. */
void marks_take(struct marks *m, size_t bytes);

/* @bytes that were with the reader are back. Out of memory: the first one grows. */
void marks_give_back(struct marks *m, size_t bytes);

/* What is left of the lead; 0: there is none. */
size_t marks_lead(const struct marks *m);

/* The size of the oldest whole chunk; 0: there is none. */
size_t marks_oldest(const struct marks *m);

/* The oldest whole chunk is gone. */
void marks_drop(struct marks *m);

/* Forgets all. */
void marks_finish(struct marks *m);
