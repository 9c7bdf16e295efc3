/* A replay: the last bytes of a channel, by reference, which a new tap begins with. */
#pragma once

#include "queue.h"

struct worker;

struct replay {
	struct queue queue;
	uint64_t size; /* bytes to be kept, or somewhat more; 0: none */
};

void replay_init(struct replay *r);

/* Forgets what is kept. */
void replay_finish(struct replay *r);

/* As queue_reserve(), but what is kept makes room for it. */
int replay_reserve(struct replay *r, struct worker *w);

/* Takes the chunk whole, after replay_reserve(). Returns 0, or a negative errno and it has begun anew. */
int replay_take(struct replay *r, const struct chunk *chunk);

/*
 * Keeps not much more than the size says, which may have changed, in bytes and in pages, and begins with a boundary of
 * @record where that can be told without a look at the bytes.
 */
void replay_trim(struct replay *r, struct worker *w, uint64_t record);

/* Of what is kept, the first bytes that nobody has asked for. */
size_t replay_excess(const struct replay *r);
