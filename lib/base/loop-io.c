/*
 * Every request in the ring has a loop_op of the loop's own. Cancelling an io cuts its op off (op->io = NULL) and asks
 * the kernel to drop the request; the op returns to the free list only when its completion has come, so no completion
 * ever meets freed memory. A request holds a reference to its files until then: a descriptor that is closed before is
 * not really closed, so each op knows its descriptors, and loop_release() waits for the ops. The memory of a read or
 * write is the op's once it is cut off; what a device still has then when the loop ends stays mapped, for it may yet
 * write there.
 *
 * All of it on the loop's thread. A block of ops is made ahead of its need, so who runs out of memory has some left, and
 * cannot make much that needs more. Without any the process ends: a loop that cannot wait would lose data in silence.
 */
#include "loop-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "lane.h"
#include "log.h"

struct loop_op {
	struct loop_io *io;
	struct __kernel_timespec ts;
	int fds[2];        /* that the request refers to, or -1 */
	struct lane *lane; /* NULL: the loop's own ring */
	void *map;         /* a read's or write's */
	size_t size;
	bool fence; /* loop_io_fence() */
	SLIST_ENTRY(loop_op) free;
};

/* Mapped, so that what no op has been in yet takes no memory. */
#define LOOP_BLOCK_OPS 1024
struct loop_block {
	SLIST_ENTRY(loop_block) entry;
	unsigned used;
	struct loop_op ops[LOOP_BLOCK_OPS];
};

int loop_io_reserve(struct loop *loop)
{
	struct loop_block *block;

	if (loop->spare)
		return 0;
	block = mmap(NULL, sizeof(*block), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return -ENOMEM;
	loop->spare = block;
	return 0;
}

/* One that has not been used yet, of the newest block. */
static struct loop_op *loop_op_fresh(struct loop *loop)
{
	struct loop_block *block = SLIST_FIRST(&loop->blocks);

	if (!block || block->used == LOOP_BLOCK_OPS) {
		if (loop_io_reserve(loop) < 0) {
			log_err("out of memory for an event; giving up");
			abort();
		}
		block = loop->spare;
		loop->spare = NULL;
		SLIST_INSERT_HEAD(&loop->blocks, block, entry);
	}
	loop_io_reserve(loop);
	return &block->ops[block->used++];
}

/* @io: NULL: nobody is told of it. */
static struct loop_op *loop_op_create(struct loop *loop, struct loop_io *io, int fd, int other)
{
	struct loop_op *op = SLIST_FIRST(&loop->free);

	if (op)
		SLIST_REMOVE_HEAD(&loop->free, free);
	else
		op = loop_op_fresh(loop);
	op->io = io;
	op->fds[0] = fd;
	op->fds[1] = other;
	op->fence = false;
	if (io)
		io->op = op;
	return op;
}

static struct io_uring_sqe *loop_sqe_get(struct loop *loop)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&loop->ring)))
		io_uring_submit(&loop->ring);
	return sqe;
}

/* ---- letting go of descriptors ---- */

static unsigned loop_op_refers(const struct loop_op *op, int fd)
{
	return fd >= 0 && (op->fds[0] == fd || op->fds[1] == fd);
}

/* The request is through: who waits for its descriptors is told once it was the last. */
static void loop_op_release(struct loop *loop, struct loop_op *op)
{
	struct loop_release *r, *next;

	for (r = LIST_FIRST(&loop->releases); r; r = next) {
		next = LIST_NEXT(r, entry);
		if (!loop_op_refers(op, r->fd) || --r->requests)
			continue;
		LIST_REMOVE(r, entry);
		r->released(r);
	}
	op->fds[0] = op->fds[1] = -1;
}

void loop_release(struct loop *loop, struct loop_release *r)
{
	const struct loop_block *block;

	r->loop = loop;
	r->requests = 0;
	SLIST_FOREACH(block, &loop->blocks, entry)
		for (unsigned i = 0; i < block->used; i++)
			r->requests += loop_op_refers(&block->ops[i], r->fd);
	if (r->requests)
		LIST_INSERT_HEAD(&loop->releases, r, entry);
	else
		r->released(r);
}

/*
 * A completion of a lane's is seen before its request has let go of the file: that is done by the lane's thread, when it next
 * comes out of the kernel. So a request that does nothing goes after it, and what that has is let go of with its own.
 */
static void loop_op_fence(struct loop_op *op)
{
	struct io_uring_sqe sqe = { 0 };

	op->fence = true;
	io_uring_prep_nop(&sqe);
	io_uring_sqe_set_data(&sqe, op);
	lane_submit(op->lane, &sqe);
}

void loop_io_fence(struct loop *loop, struct lane *lane, int fd)
{
	struct loop_op *op = loop_op_create(loop, NULL, fd, -1);

	op->lane = lane;
	lane_hold(lane);
	loop_op_fence(op);
}

/* ---- requests ---- */

/*
 * The result of a request, as a system call would have it. What was interrupted (by SIGSTOP, for a thread of the kernel's
 * cannot have another) comes as the kernel's own ERESTARTSYS or the like, 512 to 516, from what io_uring does not turn into
 * EINTR itself, such as splice. A timer that has run out is no error.
 */
static int loop_io_result(int res)
{
	if (res == -ETIME)
		return 0;
	return res <= -512 && res >= -516 ? -EINTR : res;
}

static void loop_io_complete(struct loop *loop, const struct io_uring_cqe *cqe)
{
	struct loop_op *op = io_uring_cqe_get_data(cqe);
	struct lane *lane;
	struct loop_io *io;

	if (!op) /* of a cancellation */
		return;
	io = op->io;
	op->io = NULL;
	if (op->map && !io)
		munmap(op->map, op->size);
	op->map = NULL;
	if (op->lane && !io && !op->fence) {
		loop_op_fence(op);
		return;
	}
	lane = op->lane;
	op->lane = NULL;
	loop_op_release(loop, op);
	SLIST_INSERT_HEAD(&loop->free, op, free);
	if (io) {
		io->op = NULL;
		io->ready(io, loop_io_result(cqe->res));
	}
	lane_put(lane);
}

void loop_io_complete_all(struct loop *loop, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	/* Only what is there now, so that posted work and other rings get their turn. */
	for (unsigned n = io_uring_cq_ready(ring); n; n--) {
		struct io_uring_cqe copy;

		if (io_uring_peek_cqe(ring, &cqe) < 0)
			break;
		copy = *cqe;
		io_uring_cqe_seen(ring, cqe);
		loop_io_complete(loop, &copy);
	}
}

void loop_io_finish(struct loop *loop)
{
	struct loop_release *r;
	struct loop_block *block;

	while ((r = LIST_FIRST(&loop->releases))) {
		LIST_REMOVE(r, entry);
		r->loop = NULL;
		r->released(r);
	}
	while ((block = SLIST_FIRST(&loop->blocks))) {
		SLIST_REMOVE_HEAD(&loop->blocks, entry);
		munmap(block, sizeof(*block));
	}
	if (loop->spare)
		munmap(loop->spare, sizeof(*loop->spare));
}

void loop_io_init(struct loop_io *io, struct loop *loop, void (*ready)(struct loop_io *, int))
{
	*io = (struct loop_io){ .loop = loop, .ready = ready };
}

void loop_io_poll(struct loop_io *io, int fd, uint32_t events)
{
	struct io_uring_sqe *sqe;

	if (io->op)
		return;
	sqe = loop_sqe_get(io->loop);
	io_uring_prep_poll_add(sqe, fd, events);
	io_uring_sqe_set_data(sqe, loop_op_create(io->loop, io, fd, -1));
}

static void loop_io_timeout(struct loop_io *io, uint64_t sec, uint64_t nsec, unsigned flags)
{
	struct io_uring_sqe *sqe;
	struct loop_op *op;

	if (io->op)
		return;
	sqe = loop_sqe_get(io->loop);
	op = loop_op_create(io->loop, io, -1, -1);
	op->ts.tv_sec = (int64_t)sec;
	op->ts.tv_nsec = (long long)nsec;
	io_uring_prep_timeout(sqe, &op->ts, 0, flags);
	io_uring_sqe_set_data(sqe, op);
}

void loop_io_timer(struct loop_io *io, uint64_t nsec)
{
	loop_io_timeout(io, nsec / NSEC_PER_SEC, nsec % NSEC_PER_SEC, 0);
}

void loop_io_alarm(struct loop_io *io, uint64_t seconds)
{
	loop_io_timeout(io, seconds, 0, IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME);
}

/* ---- those that may wait for a device ---- */

/* Returns the op, so that it can be told what else it has. */
static struct loop_op *loop_io_submit(struct loop_io *io, struct io_uring_sqe *sqe, int fd, int other)
{
	struct loop_op *op = loop_op_create(io->loop, io, fd, other);

	op->lane = io->lane;
	lane_hold(op->lane);
	sqe->personality = io->personality;
	sqe->flags |= IOSQE_ASYNC; /* else what is in memory is copied on the lane's thread, one after the other */
	io_uring_sqe_set_data(sqe, op);
	lane_submit(op->lane, sqe);
	return op;
}

/* A request whose memory is the op's once it is cut off. */
static void loop_io_submit_mapped(struct loop_io *io, struct io_uring_sqe *sqe, int fd, void *map, size_t size)
{
	struct loop_op *op = loop_io_submit(io, sqe, fd, -1);

	op->map = map;
	op->size = size;
}

void loop_io_splice(struct loop_io *io, int in, int64_t in_off, int out, int64_t out_off, size_t len)
{
	struct io_uring_sqe sqe = { 0 };

	if (io->op)
		return;
	io_uring_prep_splice(&sqe, in, in_off, out, out_off, (unsigned)len, SPLICE_F_MOVE);
	loop_io_submit(io, &sqe, in, out);
}

void loop_io_read(struct loop_io *io, int in, int64_t in_off, void *map, size_t size, size_t len)
{
	struct io_uring_sqe sqe = { 0 };

	if (io->op)
		return;
	io_uring_prep_read(&sqe, in, map, (unsigned)len, (uint64_t)in_off);
	loop_io_submit_mapped(io, &sqe, in, map, size);
}

void loop_io_write(struct loop_io *io, int out, int64_t out_off, void *map, size_t size, size_t at, size_t len)
{
	struct io_uring_sqe sqe = { 0 };

	if (io->op)
		return;
	io_uring_prep_write(&sqe, out, (const char *)map + at, (unsigned)len, (uint64_t)out_off);
	loop_io_submit_mapped(io, &sqe, out, map, size);
}

void loop_io_statx(struct loop_io *io, int fd, unsigned mask, void *map, size_t size)
{
	struct io_uring_sqe sqe = { 0 };

	if (io->op)
		return;
	io_uring_prep_statx(&sqe, fd, "", AT_EMPTY_PATH, mask, map);
	loop_io_submit_mapped(io, &sqe, fd, map, size);
}

void loop_io_fsync(struct loop_io *io, int fd)
{
	struct io_uring_sqe sqe = { 0 };

	if (io->op)
		return;
	io_uring_prep_fsync(&sqe, fd, 0);
	loop_io_submit(io, &sqe, fd, -1);
}

/* ---- ending them ---- */

void loop_io_abort(struct loop_io *io)
{
	struct io_uring_sqe *sqe, lane_sqe = { 0 };

	if (!io->op)
		return;
	sqe = io->op->lane ? &lane_sqe : loop_sqe_get(io->loop);
	io_uring_prep_cancel(sqe, io->op, 0);
	io_uring_sqe_set_data(sqe, NULL);
	if (io->op->lane)
		lane_submit(io->op->lane, sqe);
}

void loop_io_cancel(struct loop_io *io)
{
	if (!io->op)
		return;
	loop_io_abort(io);
	io->op->io = NULL;
	io->op = NULL;
}
