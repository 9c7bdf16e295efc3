/*
 * A stream: bytes on their way between a pipe and a descriptor that poll(2) works on: a socket or a pipe. By
 * reference, without blocking. One for a connection, on the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

struct stream {
	int fd;   /* the peer; not owned */
	int pipe; /* not owned */
	bool out; /* from the pipe to the peer, else from the peer into the pipe */
	bool full; /* out: io waits for the peer, else for the pipe */
	struct loop_io io;
	struct loop_io peer;   /* out: the peer has gone although nothing is sent */
	uint64_t bytes;
	uint64_t pages; /* references moved */
	uint64_t copies;
	/* No more to come: 0 at the end of the stream, else a negative errno. Called once; may free the stream. */
	void (*ended)(struct stream *s, int err);
	/* The peer takes nothing just now; may be NULL. */
	void (*stalled)(struct stream *s);
	/* out: the pipe is empty just now; may be NULL. May stop the stream. */
	void (*drained)(struct stream *s);
};

/* Readies a zero stream; nothing moves before stream_start(). */
void stream_init(struct stream *s, struct loop *loop, void (*ended)(struct stream *, int));

/* Moves from now on. @fd: O_NONBLOCK if it is a socket; @pipe likewise. */
void stream_start(struct stream *s, int fd, int pipe, bool out);

/* Moves no more; ended() is not called. No-op where it does not run. */
void stream_stop(struct stream *s);
