/*
 * What a loop asks the kernel for. Cancelling an io cuts its op off (op->io = NULL) and asks the kernel to drop the request; the
 * op is there until its completion has come (loop-op.c), so no completion ever meets freed memory. The memory of a read or
 * write is the op's once it is cut off; what a device still has then when the loop ends stays mapped, for it may yet
 * write there.
 *
 * All of it on the loop's thread.
 */
#include "loop-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "deferred-close.h"
#include "lane.h"

static struct io_uring_sqe *loop_sqe_get(struct loop *loop)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&loop->ring)))
		io_uring_submit(&loop->ring);
	return sqe;
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
	if (op->accepts && !io && cqe->res >= 0)
		deferred_close(&(int){ cqe->res }, geteuid()); /* what its peer has sent by then may wait */
	op->accepts = false;
	if (op->lane && !io && !op->fence) {
		loop_op_fence(op);
		return;
	}
	lane = op->lane;
	op->lane = NULL;
	loop_op_release(loop, op);
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

void loop_io_accept(struct loop_io *io, int fd)
{
	struct io_uring_sqe *sqe;
	struct loop_op *op;

	if (io->op)
		return;
	sqe = loop_sqe_get(io->loop);
	op = loop_op_create(io->loop, io, fd, -1);
	op->accepts = true;
	io_uring_prep_accept(sqe, fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	io_uring_sqe_set_data(sqe, op);
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

void loop_io_shutdown(struct loop_io *io, int fd)
{
	struct io_uring_sqe sqe = { 0 };

	if (io->op)
		return;
	io_uring_prep_shutdown(&sqe, fd, SHUT_WR);
	loop_io_submit(io, &sqe, fd, -1);
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
