/* What the files of a tap share; nobody else calls these. */
#pragma once

#include "tap.h"

/*
 * There is no reserve, and nobody is to be held back by that: older chunks make room for it, where the policy says so,
 * or the next chunk is lost. Returns what tap_prepare() does.
 */
int tap_do_without(struct tap *tap);

/* Drops everything where nobody reads and it is not to be kept for who comes. Returns whether that is so. */
bool tap_discard(struct tap *tap);

/* tap-begin.c: whether there is a prologue for who comes first. */
bool tap_owes(const struct tap *tap);

/*
 * ... and with the outlet held, gives the first reader the prologue, if he is there. Returns 0, or a negative errno of
 * prologue_put() and the tap owes it yet.
 */
int tap_greet(struct tap *tap);

/* What it has to hand out cannot be now, and nothing else will wake it: tries again soon, but says so once. */
void tap_starve(struct tap *tap, int err);

/* tap-settings.c: the capacity of the ring that is asked for, in bytes. */
int tap_ring_size(const struct tap *tap);

/* tap-settings.c: tap_set() of one setting, whatever sizes it. */
int tap_change(struct tap *tap, enum setting_key key, uint64_t value);

/* tap-latency.c: of a tap that is being made, of one whose latency was set, and of one that wants to hold more or less. */
void tap_latency_init(struct tap *tap);
void tap_latency_begin(struct tap *tap);
void tap_latency_fit(struct tap *tap);

/* @bytes were read in the last @nsec: ring and depth are to follow. */
void tap_latency_look(struct tap *tap, uint64_t bytes, uint64_t nsec);

/* Whether what nobody reads is not to be kept. A sink's pipe is always read. */
bool tap_discards(const struct tap *tap);

/* Whether it is to be known soon that nobody reads. */
bool tap_attends(const struct tap *tap);

/* Charges for ring, depth and descriptors, but gives nothing back. Returns 0, or -EDQUOT with everything as it was. */
int tap_charge(struct tap *tap);

/* Gives back what it has not any more. */
void tap_discharge(struct tap *tap);

/* Data has come to it. */
static inline void tap_came(struct tap *tap, uint64_t now)
{
	if (tap->stamp)
		stamp_set(&tap->stamp->mtime, now);
}

/* tap-take.c: @bytes of it are in the FIFO now. */
void tap_gave(struct tap *tap, size_t bytes, uint64_t now);

/* Somebody reads it. */
static inline void tap_was_read(struct tap *tap, uint64_t now)
{
	if (tap->stamp)
		stamp_set(&tap->stamp->atime, now);
}

/* tap-drain.c: what is queued goes on when the rate limit allows it, or the outlet has room. */
void tap_want_more(struct tap *tap);
