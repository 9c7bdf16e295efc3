/* The ends of ports: who waits for one, and what is kept until then. */
#pragma once

#include "ports.h"

/* For struct engine_events: a port of @ch has ended. On a worker; @data is the context. */
void port_wait_tell(void *data, struct channel *ch, unsigned id);

/*
 * A sink is at work: until it ends the channel stays, though it may lose its names, so that what was written
 * gets where it shall. The channel of @hold has an object.
 */
void port_wait_keep(const struct hold *hold, unsigned id);

/* Waiting for the end of one port. Zero but for the first part. */
struct port_wait {
	struct ports_ask ask; /* ctx, inode, id; afterwards the answer: the port as it is */
	/* On the FUSE thread, exactly once. May free it. */
	void (*done)(struct port_wait *w);
	/* The worker is late: whoever waits is to be told ETIMEDOUT; done() follows, some day. May be called again. */
	void (*late)(struct port_wait *w);

	/* Private: */
	LIST_ENTRY(port_wait) entry;
	struct loop_io timer;
	struct hold hold;
	bool looking; /* the question is under way */
	bool again;   /* and stale already */
	bool seen;    /* it was there */
	bool due;     /* answered by what the next look shows */
	bool cancelled;
};

/* Until the port has ended, or @nsec nanoseconds are over; 0: however long it takes. */
void port_wait_start(struct port_wait *w, uint64_t nsec);

/* done() follows, perhaps at once. */
void port_wait_cancel(struct port_wait *w);

/* The end of the daemon: channels go with their last name. Who waits must have been cancelled. */
void port_wait_leave(struct context *ctx);
