/*
 * What the files of a loop share: loop.c turns it, loop-io.c asks the kernel for things, loop-op.c has what is asked for until
 * the kernel has let go of it. Nobody else sees this.
 */
#pragma once

#include <liburing.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "loop.h"

struct lane;
struct loop_block;

struct loop {
	const char *name; /* of its thread, if it has one of its own */
	struct io_uring ring;
	int event; /* an eventfd: something was posted, or the loop is to stop */
	struct loop_io event_io;
	SLIST_HEAD(, loop_op) free;
	LIST_HEAD(, loop_release) releases; /* that requests are still in the way of */
	LIST_HEAD(, lane) lanes;
	SLIST_HEAD(, loop_block) blocks; /* of ops; they live as long as the loop */
	struct loop_block *spare;        /* the next one; NULL: there was no memory for it */
	pthread_mutex_t lock;
	struct loop_task *posted; /* under lock, as what follows; newest first */
	unsigned expected;
	bool stopped;
	bool quits; /* the loop's thread's, as what is due: it was posted, oldest first */
	struct loop_task *due, *last_due;
	atomic_ulong turn; /* for others to look at, as what follows */
	atomic_int thread;
	atomic_bool ended;
};

/* Takes the completions that are in @ring, the loop's or a lane's, and gives each to its io, unless that was cancelled. */
void loop_io_complete_all(struct loop *loop, struct io_uring *ring);

struct loop_op {
	struct loop_io *io;
	struct __kernel_timespec ts;
	int fds[2];        /* that the request refers to, or -1 */
	struct lane *lane; /* NULL: the loop's own ring */
	void *map;         /* a read's or write's */
	size_t size;
	bool fence;   /* loop_io_fence() */
	bool accepts; /* loop_io_accept() */
	SLIST_ENTRY(loop_op) free;
};

/* Has a block of ops ready for when one is needed. Returns 0, or -ENOMEM: it is tried again with later needs. */
int loop_op_reserve(struct loop *loop);

/* For a request of @io's that refers to the descriptors, or -1; NULL: nobody is told of it. Never fails. */
struct loop_op *loop_op_create(struct loop *loop, struct loop_io *io, int fd, int other);

/* The request is through: who waits for its descriptors is told once it was the last, and the op is free. */
void loop_op_release(struct loop *loop, struct loop_op *op);

/*
 * A completion of a lane's is seen before its request has let go of the file: that is done by the lane's thread, when it next
 * comes out of the kernel. So a request that does nothing goes after it, and what that has is let go of with its own.
 */
void loop_op_fence(struct loop_op *op);

/* Calls back who waits for a release, and frees every op; the ring is gone. */
void loop_op_finish(struct loop *loop);

/*
 * For a thread whose ring is closed under it: the process is about to end without it, having closed all that it has open,
 * just as whatever had held up the thread is over. Never returns.
 */
__attribute__((noreturn)) void loop_rest(void);
