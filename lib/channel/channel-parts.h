/* What the files of a channel share, one file an operation: nobody else calls these. */
#pragma once

#include "channel.h"

/* channel-pump.c: readies the waiting, which nothing arms before the origin is attached. */
void channel_pump_init(struct channel *ch);

/*
 * channel-pump.c: a stream that waits in the origin, or has a writer, has begun, though the kernel may not have told of it yet.
 * The stage is empty.
 */
void channel_look_begun(struct channel *ch);

/* ... and whether it is sure that nobody has the origin open for writing, and nothing waits. The stage is empty. */
bool channel_unwritten(const struct channel *ch);

/* The tap that has held the writer back for longest, or NULL. */
const struct tap *channel_full_tap(const struct channel *ch);

/* Whether something holds the writer back, with what does being told that it does. */
bool channel_held(struct channel *ch);

/* Whether the daemon is, or is to be, the reader of the origin. */
static inline bool channel_is_teed(const struct channel *ch)
{
	return !TAILQ_EMPTY(&ch->taps) || !TAILQ_EMPTY(&ch->broadcasts);
}

/* channel-origin.c: the daemon becomes the origin's reader. Returns 0 or a negative errno. */
int channel_attach(struct channel *ch);

/*
 * ... of the FIFO of node @id in place of the one before; no stream may be under way, and the replay begins anew.
 * Returns 0 or a negative errno.
 */
int channel_move(struct channel *ch, uint64_t id);

/* ... and stops being it. No-op where it is none. */
void channel_detach(struct channel *ch);

/* channel-charge.c: charges for what it is and has now, but gives nothing back; and gives back what it has not. */
int channel_charge(struct channel *ch);
int channel_charge_attached(struct channel *ch); /* as one with taps */
void channel_discharge(struct channel *ch);

/* channel-ring.c: the capacity of the ring that is asked for, in bytes; now, and with taps. */
int channel_ring_size(const struct channel *ch);
int channel_ring_size_attached(const struct channel *ch);

/* What is to be charged for the ring: it is another's as long as the daemon neither reads, writes nor keeps anything there. */
uint64_t channel_ring_owed(const struct channel *ch, bool attached);

/*
 * Whether the ring that the daemon reads has no room for a writer: not a page, whatever is in them. On the worker, with an
 * empty stage; some work, for each page.
 */
bool channel_ring_full(const struct channel *ch);

/* A descriptor of the daemon's own on the origin, or -1. */
int channel_ring_fd(const struct channel *ch);

/* Gives the ring its size, where the daemon has it open. Returns 0 or -EBUSY: the ring holds more. */
int channel_ring_fit(const struct channel *ch);

/* The same for who has just opened it; where the daemon has it not open, the layer above is asked. */
int channel_ring_opened(struct channel *ch);

/*
 * channel-chunk.c: takes one chunk from the origin, where @waiting bytes are, and hands it out; every tap is prepared. Returns
 * the bytes taken, or a negative errno.
 */
ssize_t channel_move_chunk(struct channel *ch, size_t waiting);

/* channel-taps.c: takes in a tap that somebody has come to, also where it fails; channel_pump() may follow. 0 or a negative errno. */
int channel_admit_tap(struct channel *ch, struct tap *tap);

/* Takes a tap away that is one of the channel's. */
void channel_drop_tap(struct channel *ch, struct tap *tap);

/* Without the last tap or broadcast, which has just gone, the origin is an ordinary FIFO again. */
void channel_tap_gone(struct channel *ch);

/* Moves what every tap has queued; those that are through go. */
void channel_update_taps(struct channel *ch);
