/*
 * A stamp: when data last came to a name of a channel, and when somebody was last seen to read it, for stat(2). The
 * channel's worker sets it, and any thread reads it.
 *
 * It costs a stream nothing: one look at the coarse clock, which is the kernel's last tick read from memory (4 ms old at
 * most), serves all chunks of a turn. Within a tick each change still gives a later time, by nanoseconds: who polls, as
 * tail(1) does, takes the same time for nothing new.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct stamp {
	atomic_uint_least64_t mtime, atime; /* nanoseconds of CLOCK_REALTIME; 0: never */
	atomic_uint_least64_t floor;        /* of a channel's: whatever moves from now on is later; any thread */
	atomic_uint refs;
};

/* With one reference, the caller's. NULL: out of memory. */
struct stamp *stamp_create(void);

/* One more; returns @s. */
struct stamp *stamp_get(struct stamp *s);

/* Gives one back; the stamp goes with the last. NULL-safe. */
void stamp_put(struct stamp *s);

/* Now, by the coarse clock, but later than the floor of @of, the channel's. Never blocks, and is no system call. */
uint64_t stamp_clock(const struct stamp *of);

/* On the worker: @now, or later than the last time by a nanosecond. */
static inline void stamp_set(atomic_uint_least64_t *time, uint64_t now)
{
	uint64_t last = atomic_load_explicit(time, memory_order_relaxed);

	atomic_store_explicit(time, now > last ? now : last + 1, memory_order_relaxed);
}
