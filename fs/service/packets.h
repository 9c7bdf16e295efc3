/*
 * Packet channels: each write is a message.
 *
 * The kernel's FIFO keeps messages whole only for a writer that has set O_DIRECT on its descriptor, so a user never
 * reaches the one that holds them. A packet channel's origin is answered as a regular file that takes writes alone,
 * a new node for each look-up: the kernel's lock of an inode is then one writer's own, and who waits for room
 * makes nobody else unkillable. Each of its WRITE requests is a message or is refused.
 */
#pragma once

#include "descriptor-scan.h"
#include "hold.h"

/* The nameless node of @kind that stands for a name of the inode in an answer to the kernel. NULL: out of memory. */
struct node *packets_stand_in(struct context *ctx, struct inode *inode, enum node_kind kind);

/* Whether the name is shown as a regular file. */
static inline bool packets_name(const struct node *node)
{
	return node->kind == NODE_FIFO && node->inode->packets && !node_is_tap(node);
}

/* A change of spfs.packets. The caller owns it until done() is called, exactly once, on the FUSE thread. */
struct packets_change {
	bool on;
	uint64_t until; /* when it is to be answered (job.h) */
	/* @err: 0; -EBUSY (somebody has the origin open, ports are attached, or data waits), or another negative errno */
	void (*done)(struct packets_change *c, int err);
	/* The worker is late: whoever waits is to be told ETIMEDOUT; done() follows, some day. */
	void (*late)(struct packets_change *c);

	/* Private. */
	struct hold hold;
	struct descriptor_scan_waiter waiter;
	struct job job;
	struct node *fresh;
	int err;
};

/* Makes the channel that @hold is of a packet channel or none; done() may be called at once. */
void packets_set(const struct hold *hold, struct packets_change *c);
