/*
 * A tap: one reader name's own full copy of a channel's stream. The outlet is its FIFO, the queue
 * holds what the FIFO does not take. All on the channel's worker.
 */
#pragma once

#include <stdint.h>

#include "outlet.h"
#include "queue.h"

struct channel;

struct tap {
	struct channel *channel;
	TAILQ_ENTRY(tap) entry;
	uint64_t id;
	struct outlet outlet;
	struct queue queue;
	bool delivered;     /* the last stream's end was seen, or no stream began since the tap did */
	uint64_t bytes_out; /* handed to the FIFO */
	uint64_t lost;      /* bytes that a kernel failure took; each also a line in the log */
};

int tap_create(struct tap **tap, struct channel *ch, uint64_t id);

/* Drops what the tap holds. NULL-safe. */
void tap_destroy(struct tap *tap);

/*
 * Gets ready for a stream: the outlet holds, the queue has its reserve. Returns the reserve's
 * capacity in bytes, or a negative errno.
 */
int tap_prepare(struct tap *tap);

/* Takes the chunk whole, after tap_prepare(). */
void tap_take(struct tap *tap, const struct chunk *chunk);

/* Moves what is queued into the FIFO; at the stream's end, lets the reader see it. */
void tap_update(struct tap *tap);

static inline bool tap_full(const struct tap *tap)
{
	return queue_full(&tap->queue);
}
