/*
 * The collector gathers the stats of all channels that somebody may be told of, and the state of the mount, as JSON and as what
 * is made of it.
 *
 * It gathers once at a time, for all who wait with the same rights; each worker is asked for its channels' reports a
 * hundred or so at a time, between its other work, and the text is made on the helper thread.
 */
#pragma once

#include <jansson.h>
#include <sys/queue.h>

#include "rights.h"

struct collector;
struct context;

struct collector_waiter {
	/* Set before collector_want(): */
	struct rights rights; /* who asks: the waiter's, kept until done() */
	/* On the helper thread: a string made of the stats (see spfsd(8), stats.json); NULL: out of memory. */
	char *(*make)(const json_t *stats);
	/* On the FUSE thread, exactly once, perhaps at once. */
	void (*done)(struct collector_waiter *w);

	/* The answer: */
	int err;    /* 0, -ENOMEM, or -ENOTCONN at the end of the daemon */
	char *text; /* the waiter's; NULL where @err is set */

	/* Private: */
	TAILQ_ENTRY(collector_waiter) entry;
};

/* Returns 0 or -ENOMEM. */
int collector_create(struct collector **collector, struct context *ctx);

void collector_want(struct collector *c, struct collector_waiter *w);

/* Nobody may be waiting. NULL-safe. */
void collector_destroy(struct collector *c);
