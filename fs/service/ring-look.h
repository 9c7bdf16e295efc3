/* A look at a ring that others have open and the daemon does not, on a copy of a descriptor of theirs. */
#pragma once

#include "descriptor-scan.h"
#include "errand.h"

#define RING_LOOK_HOLDERS 16

/* The errand's, but for what is said. */
struct ring_look {
	struct errand errand;
	int size;    /* set before it is sent: bytes that the ring is to have; 0: it is only looked at */
	int err;     /* 0 or a negative errno */
	int granted; /* bytes; 0: nobody whom the daemon may look at has it open any more */

	void *resize; /* whoever sends it may keep something here, of no concern to the errand */
	uint64_t node;
	dev_t dev;
	struct descriptor_scan_holder holders[RING_LOOK_HOLDERS];
	size_t count;
};

/*
 * Those who had the name @node open at the last scan are looked at; where nobody had, @count is 0. To be sent with
 * errand_start(), or freed with free(3). NULL: out of memory.
 */
struct ring_look *ring_look_create(struct context *ctx, const struct node *node, void (*done)(struct errand *e));

/* The daemon may not take others' descriptors: logged once. */
void ring_look_say_blind(int err);
