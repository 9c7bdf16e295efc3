/*
 * An inlet: a writing end of the origin that is the daemon's own, for a feed or a source.
 *
 * It is open O_RDWR: there is no EPIPE, and what is written waits for a reader. When the last inlet closes and
 * there are no taps, what is left is kept (keep.h) for a later reader, who then sees the end.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "loop.h"

struct channel;

struct inlet {
	struct channel *channel;
	TAILQ_ENTRY(inlet) entry;
	int fd;      /* O_NONBLOCK; in packet mode (O_DIRECT, see pipe(7)) where the channel is */
	bool stream; /* its end is the end of a stream, also where nothing was written */
	bool wide;   /* it wants a ring of PIPE_SIZE; set before it is opened */
};
TAILQ_HEAD(inlets, inlet);

#define INLET_NONE ((struct inlet){ .fd = -1 })

/* Its ring is charged to the channel's owner. Returns 0, -EDQUOT, or a negative errno of fifo_open(). */
int inlet_open(struct inlet *in, struct channel *ch);

/* Ends its writing. No-op on INLET_NONE. */
void inlet_close(struct inlet *in);

/* Whether the origin takes no more: its pages are used up. */
bool inlet_full(const struct inlet *in);

/* For channel_create(): an inlet is really closed by now. */
void inlet_closed(struct loop_io *io, int res);
