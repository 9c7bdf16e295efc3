/*
 * A stream: bytes on their way between a pipe and a descriptor that poll(2) works on: a socket or a pipe. By
 * reference, without blocking. One for a connection, on the loop's thread.
 *
 * What it receives may be somebody's file: who sends it with sendfile(2) on this machine, or splices it into the pipe,
 * hands over the file's own pages. So where it must not change any more (@stable), it is copied.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bounce.h"
#include "loop.h"
#include "pipe.h"

struct stream {
	int fd;    /* the peer; not owned */
	int pipe;  /* not owned */
	bool out;  /* from the pipe to the peer, else from the peer into the pipe */
	bool full; /* out: io waits for the peer, else for the pipe */
	struct loop_io io;
	struct loop_io peer; /* out: the peer has gone although nothing is sent */
	uint64_t bytes;
	uint64_t pages; /* references moved */
	uint64_t copies;
	uint64_t lost;          /* bytes that it had copied and could not hand on */
	const uint64_t *stable; /* not 0: copies what it receives, from the next chunk on; may be NULL */
	bool copying;           /* it did so with the last one */
	bool last;              /* hands on what it has copied, and ends */
	struct pipe between;    /* a copy's way into the buffer: reading from there never waits */
	struct bounce bounce;
	/*
	 * No more to come: 0 at the end of the stream or after stream_rest(), else a negative errno. Called once; may
	 * free the stream.
	 */
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

/*
 * Receives no more. Returns whether it has copied something that is still to be handed on: it does that, and ended()
 * follows. Otherwise it can be stopped without a loss.
 */
bool stream_rest(struct stream *s);

/* Moves no more; ended() is not called. No-op where it does not run. */
void stream_stop(struct stream *s);
