/*
 * Origin watch: who opens and closes the origin of a channel without taps, where the kernel alone moves the bytes. They
 * are looked at while the channel is watched, to be told (monitor.h), or has been given a size, for a ring goes with
 * the last who has it open, and the next one is of the kernel's size again.
 *
 * What comes within ORIGIN_WATCH_NSEC is told as one. All on the channel's worker.
 */
#pragma once

#include "loop.h"
#include "watch.h"

#define ORIGIN_WATCH_NSEC 100000000

struct channel;

struct origin_watch {
	struct watch watch;
	uint32_t kinds[3]; /* not told yet, the one that happened last at the end: IN_OPEN ... */
	unsigned count;
	uint32_t own; /* are being taken off the queue, for they are the daemon's */
	struct loop_io pause;
};

void origin_watch_init(struct channel *ch);

/* Begins or ends looking, as the channel is now. Where that fails, the log says so. */
void origin_watch_look(struct channel *ch);

/*
 * The same a turn of the loop later: a poll that was just cancelled keeps its file open until then, and the daemon
 * would report itself.
 */
void origin_watch_look_soon(struct channel *ch);

/* Looks no more; what is not told yet is. */
void origin_watch_end(struct channel *ch);

/*
 * Around opens and closes of the daemon's own which are nobody's visit. @own: what they cause, as IN_OPEN. Not nested.
 */
void origin_watch_own_begin(struct channel *ch);
void origin_watch_own_end(struct channel *ch, uint32_t own);
