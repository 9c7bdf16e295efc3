/*
 * Attaching a source or a sink to a channel: what is asked for is checked, opened (opener.h) and handed to the
 * channel's worker (port.h). All on the FUSE thread, which waits for none of it.
 */
#pragma once

#include "hold.h"
#include "opener.h"
#include "port.h"

/* Of one user at the same time. */
#define ATTACH_USER_MAX 64

/* Zero but for the first part. */
struct attach {
	/* Set before attach_start(). */
	struct context *ctx;
	struct node *node; /* a name of the channel */
	enum port_dir dir;
	struct rights rights; /* who asks; freed in any case */
	const char *text;     /* the URI; kept until done() */
	bool own;             /* the daemon itself asks, for the user of @rights */
	int process;          /* who asks (rights.h), to whom the names of @text mean something; closed in any case */
	int fd;               /* instead of a URI; closed in any case. -1: there is none */
	uint64_t until;       /* when the worker is to have done it (job.h); 0: as long as one takes from then on */
	/*
	 * Exactly once, perhaps within attach_start(), never within attach_cancel(). May free the attach. Who is refused
	 * finds closed what was passed, unless it was cancelled.
	 */
	void (*done)(struct attach *a);
	/* A worker is late: whoever waits is to be told ETIMEDOUT, and nothing will be attached; done() follows. May be NULL. */
	void (*late)(struct attach *a);

	/* The result: */
	int err;               /* 0 or a negative errno, logged */
	char why[URI_WHY_MAX]; /* never empty where @err is set */
	unsigned id;

	/* Private: */
	LIST_ENTRY(attach) entry;
	struct uri uri;
	struct opening opening;
	bool opens;
	bool keeps; /* a sink: the channel, when it has lost its last name, until the sink has had all */
	bool cancelled;
	struct deferred_close *closing; /* of what was opened, where it is refused */
	struct loop_task forgotten;
	unsigned ended; /* the last port of the channel that has ended meanwhile */
	struct job job;
	struct hold hold;
	struct port_config config;
};

void attach_start(struct attach *a);

/*
 * It is not wanted any more: done() follows soon, with -EINTR if nothing was attached yet. Allowed before
 * attach_start() too.
 */
void attach_cancel(struct attach *a);

/* A port of @ch has ended, perhaps the one that an attach has not heard of yet. */
void attach_ended(struct context *ctx, const struct channel *ch, unsigned id);

/* The end of the daemon: cancels all. They are done() before a worker's next job has come back. */
void attach_leave(struct context *ctx);
