/*
 * A message of a client's, taken from his socket, with the descriptor that came along.
 *
 * Descriptors that find no place, or are one too many, are closed; and to close what a user has passed may take for ever
 * (deferred-close.h). The kernel does so within recvmsg(2), too. So a message with descriptors is received on a thread of
 * its own, with room for as many as one can have; and the FUSE thread takes those without.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "control-socket.h"

struct deferred_close;
struct loop;

/* What is at the head of a socket's queue. */
enum reception_head {
	RECEPTION_NOTHING,
	RECEPTION_END,         /* the peer has gone, or what it has sent is empty */
	RECEPTION_TEXT,        /* a message without descriptors */
	RECEPTION_DESCRIPTORS, /* one with, which nobody but a reception may take */
};

/* Never blocks, and takes nothing. */
enum reception_head reception_look(int socket);

struct reception;

/* What a file is known by. No inode has number 0. */
struct file_id {
	dev_t dev;
	ino_t ino;
};

/* What a reception has yielded. */
struct received {
	char *text;  /* @len bytes, to be freed; NULL: nothing, see @err */
	ssize_t len; /* perhaps more than CONTROL_MAX, of which the rest is lost */
	struct file_id
		id; /* what it is of, as far as the kernel knows without asking whoever serves that; 0: not known */
	int fd;     /* the one that was passed, the taker's; -1: none, or more than one */
	int err;    /* 0; -EINVAL: not one descriptor; -EMFILE; or of recvmsg(2), and no text */
};

/*
 * Receives what reception_look() has found on @socket, which is the reception's until done() gives it back, and on which
 * nothing is armed. On @loop's thread; done() never follows within this call, and frees the reception. @takes: whether a
 * descriptor is kept; else the kernel lets go of all, without a close(2). @identifies: whether it is told what
 * that is of. Returns NULL when out of memory.
 */
struct reception *reception_start(struct loop *loop, int *socket, uid_t uid, bool takes, bool identifies,
				  void (*done)(void *data, int socket, struct received *got), void *data);

/* Nobody waits any more: done() is not called, and the socket goes with what it has. NULL-safe. */
void reception_forget(struct reception *r);
