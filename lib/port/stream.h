/*
 * A stream: bytes on their way between a pipe and a descriptor that poll(2) works on: a socket or a pipe. By
 * reference, without blocking. One for a connection, on the loop's thread.
 *
 * Some peers may make who asks them wait all the same: a socket of which somebody else has a copy, for its flags, its times and
 * its lock are his too; and a socket of the file system, for what is read may bring descriptors with it, which are closed by who
 * reads (unix(7), SCM_RIGHTS). Those are asked by a lane (lane.h), between them and a pipe of the stream's own.
 *
 * What it receives may be somebody's file: who sends it with sendfile(2) on this machine, or splices it into the pipe,
 * hands over the file's own pages. So where it must not change any more (@stable), it is copied.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bounce.h"
#include "loop.h"
#include "pipe.h"

/* Bytes of a copy. */
#define STREAM_COPY_SIZE (64 << 10)

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
	struct lane *lane;  /* NULL: it is asked here */
	struct loop_io ask; /* by the lane */
	size_t in_hand;     /* bytes in @between, of a lane's */
	bool urgent;        /* ... what is asked for goes into @bounce */
	bool doubts;        /* ... the peer had nothing, though it had said so */
	int broken;         /* ... it ends with this negative errno, once that has come back; or 0 */
	/* What it had taken and not sent as it ended, in @rd, which stays the stream's; may be NULL: it is lost. */
	void (*left)(struct stream *s, int rd, size_t bytes);
	uid_t uid; /* whose the lane is */
	/*
	 * No more to come: 0 at the end of the stream or after stream_rest(), else a negative errno. Called once; may
	 * free the stream.
	 */
	void (*ended)(struct stream *s, int err);
	/* The peer takes nothing just now; may be NULL. */
	void (*stalled)(struct stream *s);
	/* out: it has taken something and not sent all of that yet; or it has nothing in hand; may be NULL. */
	void (*holds)(struct stream *s, bool holds);
	/* out: the pipe is empty just now; may be NULL. May stop the stream. */
	void (*drained)(struct stream *s);
};

/* Readies a zero stream; nothing moves before stream_start(). */
void stream_init(struct stream *s, struct loop *loop, void (*ended)(struct stream *, int));

/*
 * The peer is asked by @uid's lane, from the next start on. Returns 0 or a negative errno of lane_get(); stream_finish() is owed
 * either way.
 */
int stream_use_lane(struct stream *s, uid_t uid);

/* Moves from now on. @fd: O_NONBLOCK if it is a socket; @pipe likewise. */
void stream_start(struct stream *s, int fd, int pipe, bool out);

/*
 * Receives, or takes to send, no more. Returns whether it has something that is still to be handed on, or that is just being
 * sent: it does that, and ended() follows. Otherwise it can be stopped without a loss.
 */
bool stream_rest(struct stream *s);

/*
 * Sends no more, and ends with @err, negative, once what a lane is just sending has come back: only then is it known what the
 * peer has taken. It is not waited for longer than some seconds; then it is lost. Returns false where nothing is being sent: it
 * can be ended or stopped without a loss.
 */
bool stream_break(struct stream *s, int err);

/* Moves no more; ended() is not called. No-op where it does not run. */
void stream_stop(struct stream *s);

/* The same, and lets go of the lane. */
void stream_finish(struct stream *s);

/* ---- stream-lane.c, for stream.c ---- */

/* What is next: hands on what is in hand, takes, or asks whether the peer is ready. */
void stream_lane_next(struct stream *s);

/* It is, or the pipe: @res of the poll. */
void stream_lane_ready(struct stream *s, int res);

/* stream->ask. */
void stream_lane_asked(struct loop_io *io, int res);

/* Gives back what is in hand, and leaves what is under way to the loop. */
void stream_lane_halt(struct stream *s);

/* It has ended by itself: ended() follows. */
void stream_end(struct stream *s, int err);

/* So much has been moved by reference. */
void stream_moved(struct stream *s, size_t n);

/* Into the pipe from the bounce buffer, which has some: bytes, or a negative errno of write(2). */
ssize_t stream_give_copy(struct stream *s);
