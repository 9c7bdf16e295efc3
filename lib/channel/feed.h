/*
 * A feed: the handle through which `> name` created a channel. The kernel sees a regular file, so
 * its reads and writes come to the daemon, which moves them through the FIFO. A request that cannot
 * go on is parked, holding just its own bytes, until the FIFO has room, or until it is cancelled.
 *
 * In a packet channel each FEED_WRITE is a message of up to PIPE_BUF bytes: it goes whole, as one, or not at all.
 *
 * It writes through an inlet, so what is written waits for a reader.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "inlet.h"
#include "loop.h"

struct feed {
	struct inlet inlet;
	struct loop_io io;
	TAILQ_HEAD(feed_ops, feed_op) ops;
};

enum feed_kind { FEED_WRITE, FEED_READ, FEED_POLL };

/* A request. The caller owns it until done() is called, exactly once, on the worker. */
struct feed_op {
	TAILQ_ENTRY(feed_op) entry;
	enum feed_kind kind;
	bool nonblock;
	short events; /* FEED_POLL: what to wait for */
	size_t zeros; /* FEED_WRITE: zero bytes before the buffer */
	char *buf;
	size_t len;
	size_t moved; /* of zeros and buf together */
	/* @result: bytes (without the zeros), revents of FEED_POLL, or a negative errno. */
	void (*done)(struct feed_op *op, ssize_t result);
};

/* Returns 0, -EDQUOT (of the channel's owner), or another negative errno of inlet_open(). */
int feed_create(struct feed **feed, struct channel *ch);

/* Ends the feed's writing; what waits is kept for a reader. Parked requests must be gone. */
void feed_destroy(struct feed *feed);

/* A message that is too long is answered with -EMSGSIZE. */
void feed_submit(struct feed *feed, struct feed_op *op);

/* Ends a parked request: with what it moved, else with -EINTR. No-op if it is not parked here. */
void feed_cancel(struct feed *feed, struct feed_op *op);

/* The daemon leaves: ends them all, with what they moved, else with -ENOTCONN. */
void feed_cancel_all(struct feed *feed);

/* poll(2) revents of the FIFO as its reader and writer sees them now. */
short feed_revents(const struct feed *feed);
