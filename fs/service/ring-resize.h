/* The size of a ring that others have open and the daemon does not: changed on a copy of a descriptor of theirs. */
#pragma once

#include "descriptor-scan.h"
#include "hold.h"

#define RING_RESIZE_PATIENCE_NSEC 1000000000u

struct ring_resize {
	/* On the FUSE thread, exactly once, never at once. */
	void (*done)(struct ring_resize *r);
	int err; /* 0 or a negative errno: EBUSY, the ring holds more; ETIMEDOUT, who has it open keeps it locked, or @until */
	int granted; /* bytes; 0: nobody has it open whom the daemon may look at */

	/* Private: */
	struct hold hold;
	struct ring_scan *scan;   /* what it waits for: a scan, */
	struct ring_queue *queue; /* others' looks, */
	struct ring_look *look;   /* or its own */
	bool looks;
	struct loop_io patience;
	STAILQ_ENTRY(ring_resize) next;
	int size;
};

/*
 * Gives the ring of the name in @hold @size bytes or as many as the kernel grants; 0: only looks. Where the channel's
 * size is set meanwhile (inode->ring_size), that holds; what was begun before for the same ring ends before. Where the
 * daemon may not take others' descriptors, the log says so once. It is given up at @until (job_deadline()).
 */
void ring_resize_start(struct ring_resize *r, const struct hold *hold, int size, uint64_t until,
		       void (*done)(struct ring_resize *));
