/* The size of a ring that others have open and the daemon does not: changed on a copy of a descriptor of theirs. */
#pragma once

#include "server.h"
#include "descriptor-scan.h"

#define RING_RESIZE_HOLDERS 16

struct ring_resize {
	/* On the FUSE thread, exactly once, never at once. */
	void (*done)(struct ring_resize *r);
	int err;     /* 0 or a negative errno: EBUSY, the ring holds more */
	int granted; /* bytes; 0: nobody has it open whom the daemon may look at */

	/* Private: */
	struct server *server;
	const struct node *node;
	struct descriptor_scan_waiter waiter;
	struct job job;
	struct descriptor_scan_holder holders[RING_RESIZE_HOLDERS];
	size_t count;
	int size;
};

/*
 * Gives the ring of @node, which stays until done(), @size bytes or as many as the kernel grants; 0: only looks. Where
 * the daemon may not take others' descriptors, the log says so once.
 */
void ring_resize_start(struct ring_resize *r, struct server *s, const struct node *node, int size, void (*done)(struct ring_resize *));
