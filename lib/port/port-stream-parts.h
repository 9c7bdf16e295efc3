/* What the files of a port on a stream share. */
#pragma once

#include "port-ops.h"
#include "program-watch.h"
#include "reopening.h"
#include "stream.h"

struct stream_port {
	struct port port;
	struct stream stream;
	int fd; /* the peer; what was opened is its owner */
	bool socket;
	struct program_watch watch; /* of the program that was opened, if it is one */
	struct loop_io unread;      /* what that has not read is looked at again */
	bool through;               /* nothing more comes of the stream, but the program has not ended yet; */
	int result;                 /* how that was */
	char how[PORT_HOW_MAX];     /* it moved its bytes, as it said */
	struct loop_io timer;
	struct reopening *reopening; /* under way */
};

/* Readies what was opened, or has been handed over. Returns 0, or -EINVAL or a negative errno of fcntl(2). */
int stream_port_ready(struct stream_port *sp);

/* It moves from now on. */
void stream_port_move(struct stream_port *sp);

/* A sink's connection, *@fd, which it is through with: taken, and closed as linger.h says. */
void stream_port_linger(struct stream_port *sp, int *fd);

/* It has ended, well or not: what was opened goes, and it connects again where it is to. May free it. */
void stream_port_end(struct stream_port *sp, int err);

/*
 * port-stream-program.c: of one whose peer is a program. It moves from now on; its stream has ended with @err, and what that means is the
 * program's end to say, which stream_port_end() follows; and that end has come. May free it.
 */
void stream_port_begin_program(struct stream_port *sp);
void stream_port_program_moves(struct program_watch *w);
void stream_port_await_program(struct stream_port *sp, int err);
void stream_port_program_over(struct program_watch *w);

/*
 * The pipe of the tap is empty. One of a program's own has no end before all of it is read, for then nothing could be put back: it
 * is told once it may have that.
 */
void stream_port_let_end(struct stream_port *sp);
void stream_port_unread(struct loop_io *io, int res);

/* Back to the head of the tap: @bytes, which are all there is in the pipe @rd. What cannot be put back is lost, and counted. */
void stream_port_put_back(struct port *p, int rd, size_t bytes);

/* A sink's: what the program has not read goes back into the tap, unless it is not the tap's any more. Nothing moves. */
void stream_port_take_back(struct stream_port *sp);
