/*
 * The scan: who has which name of the mount open, as far as /proc/PID/fd tells.
 *
 * A FIFO does not say how many have it open, and the kernel serves its opens without the daemon. So
 * on request, an errand (errand.h) reads the descriptors of every process that the daemon may look into. What is
 * opened by another path than the mount point's (a bind mount elsewhere, another root folder), or belongs to a process hidden
 * from the daemon, is not seen; what only has such a path, in a mount namespace of somebody's own, is not counted.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "node.h"

struct context;
struct descriptor_scan;

struct descriptor_scan_waiter {
	TAILQ_ENTRY(descriptor_scan_waiter) entry;
	/* On the FUSE thread, once descriptor_scan_count() is fresh. */
	void (*done)(struct descriptor_scan_waiter *w);
	bool anew; /* after a scan that has not begun yet */
};

/* Returns 0 or -ENOMEM. */
int descriptor_scan_create(struct descriptor_scan **scan, struct context *ctx);

/* The end of the daemon: who waits is told, and no scan is waited for. */
void descriptor_scan_leave(struct descriptor_scan *scan);

/* Nobody may be waiting. NULL-safe. */
void descriptor_scan_destroy(struct descriptor_scan *scan);

/*
 * Calls @w->done after a scan no older than DESCRIPTOR_SCAN_FRESH_NSEC, perhaps at once, or when one has not come back
 * after DESCRIPTOR_SCAN_PATIENCE_NSEC: then nothing is known.
 */
void descriptor_scan_want(struct descriptor_scan *scan, struct descriptor_scan_waiter *w);

#define DESCRIPTOR_SCAN_FRESH_NSEC 250000000u
#define DESCRIPTOR_SCAN_PATIENCE_NSEC 1500000000u

/*
 * For struct engine_events, on any thread: a teed origin was opened. A scan follows, one in DESCRIPTOR_SCAN_PAUSE_NSEC at
 * most, that logs every process that reads beside the taps.
 */
void descriptor_scan_origin_opened(void *data);

#define DESCRIPTOR_SCAN_PAUSE_NSEC 5000000000u

struct descriptor_scan_count {
	unsigned readers;
	unsigned writers;
};

/*
 * Open descriptors of @node as of the last scan, the daemon's own not counted. Returns false where
 * the daemon may not look into its own user's processes, or the scan was given up.
 */
bool descriptor_scan_count(const struct descriptor_scan *scan, const struct node *node,
			   struct descriptor_scan_count *count);

/* A descriptor of somebody's. */
struct descriptor_scan_holder {
	pid_t pid;
	int fd;
};

/* Up to @max descriptors of @node as of the last scan. Returns how many. */
size_t descriptor_scan_holders(const struct descriptor_scan *scan, const struct node *node,
			       struct descriptor_scan_holder *list, size_t max);
