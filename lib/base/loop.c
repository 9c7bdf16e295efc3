/*
 * Every request in the ring has a loop_op of the loop's own. Cancelling an io cuts its op off
 * (op->io = NULL) and asks the kernel to drop the request; the op returns to the free list only
 * when its completion has come, so no completion ever meets freed memory. A pending poll holds a
 * reference to its file: a descriptor closed after loop_io_cancel() is really closed within the
 * same turn, when the cancellation is submitted. The memory of a read is the op's once it is cut off; what a device
 * still has then when the loop ends stays mapped, for it may yet write there.
 *
 * Out of memory for an op ends the process: a loop that cannot wait would lose data in silence.
 */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "log.h"

#define RING_ENTRIES 256

/* Splices that may wait for disks at the same time: as many may hang before the others of the loop suffer. */
#define BLOCKING_MAX 64

struct loop_op {
	struct loop_io *io;
	struct __kernel_timespec ts;
	void *map; /* a read's */
	size_t size;
	SLIST_ENTRY(loop_op) free;
};

/* Ops come in blocks that live as long as the loop. */
#define OP_BLOCK 32
struct op_block {
	SLIST_ENTRY(op_block) entry;
	struct loop_op ops[OP_BLOCK];
};

struct loop {
	struct io_uring ring;
	int event;
	struct loop_io event_io;
	SLIST_HEAD(, loop_op) free;
	SLIST_HEAD(, op_block) blocks;
	atomic_bool stopped;
	pthread_mutex_t lock;
	struct loop_task *posted; /* under lock, newest first */
};

static struct loop_op *op_new(struct loop *loop, struct loop_io *io)
{
	struct loop_op *op = SLIST_FIRST(&loop->free);

	if (!op) {
		struct op_block *block = calloc(1, sizeof(*block));

		if (!block) {
			log_err("out of memory for an event; giving up");
			abort();
		}
		SLIST_INSERT_HEAD(&loop->blocks, block, entry);
		for (int i = 0; i < OP_BLOCK; i++)
			SLIST_INSERT_HEAD(&loop->free, &block->ops[i], free);
		op = SLIST_FIRST(&loop->free);
	}
	SLIST_REMOVE_HEAD(&loop->free, free);
	op->io = io;
	io->op = op;
	return op;
}

static struct io_uring_sqe *sqe_new(struct loop *loop)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&loop->ring)))
		io_uring_submit(&loop->ring);
	return sqe;
}

static void drain_event(struct loop_io *io, int res)
{
	struct loop *loop = io->loop;
	uint64_t count;

	if (read(loop->event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_err("eventfd: %m");
	loop_io_poll(io, loop->event, POLLIN);
}

int loop_create(struct loop **out)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED,
	};
	struct loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	err = io_uring_queue_init_params(RING_ENTRIES, &loop->ring, &params);
	if (err == -EINVAL) { /* before Linux 6.1 */
		params = (struct io_uring_params){ .flags = IORING_SETUP_R_DISABLED };
		err = io_uring_queue_init_params(RING_ENTRIES, &loop->ring, &params);
	}
	if (err < 0) {
		free(loop);
		return err;
	}
	loop->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->event < 0) {
		err = -errno;
		io_uring_queue_exit(&loop->ring);
		free(loop);
		return err;
	}
	pthread_mutex_init(&loop->lock, NULL);
	SLIST_INIT(&loop->free);
	SLIST_INIT(&loop->blocks);
	loop_io_init(&loop->event_io, loop, drain_event);
	*out = loop;
	return 0;
}

void loop_destroy(struct loop *loop)
{
	struct op_block *block;

	if (!loop)
		return;
	io_uring_queue_exit(&loop->ring);
	while ((block = SLIST_FIRST(&loop->blocks))) {
		SLIST_REMOVE_HEAD(&loop->blocks, entry);
		free(block);
	}
	fd_close(&loop->event);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static void run_posted(struct loop *loop)
{
	struct loop_task *list, *fifo = NULL;

	pthread_mutex_lock(&loop->lock);
	list = loop->posted;
	loop->posted = NULL;
	pthread_mutex_unlock(&loop->lock);

	while (list) {
		struct loop_task *task = list;

		list = task->next;
		task->next = fifo;
		fifo = task;
	}
	while (fifo) {
		struct loop_task *task = fifo;

		fifo = task->next;
		task->run(task);
	}
}

static void complete(struct loop *loop, struct io_uring_cqe *cqe)
{
	struct loop_op *op = io_uring_cqe_get_data(cqe);
	struct loop_io *io;
	int res = cqe->res;

	if (!op)
		return;
	io = op->io;
	op->io = NULL;
	if (op->map && !io)
		munmap(op->map, op->size);
	op->map = NULL;
	SLIST_INSERT_HEAD(&loop->free, op, free);
	if (!io)
		return;
	io->op = NULL;
	io->ready(io, res == -ETIME ? 0 : res);
}

int loop_run(struct loop *loop)
{
	int err;

	/* liburing 2.3 declares io_uring_enable_rings() and does not export it. */
	if (syscall(SYS_io_uring_register, loop->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
		return -errno;
	err = io_uring_register_iowq_max_workers(&loop->ring, (unsigned[]){ BLOCKING_MAX, BLOCKING_MAX });
	if (err < 0)
		log_debug("io_uring workers: %s", strerror(-err)); /* before Linux 5.15 */
	loop_io_poll(&loop->event_io, loop->event, POLLIN);
	for (;;) {
		struct io_uring_cqe *cqe;

		run_posted(loop);
		if (atomic_load(&loop->stopped))
			return 0;
		err = io_uring_submit_and_wait(&loop->ring, 1);
		if (err < 0 && err != -EINTR && err != -EAGAIN && err != -EBUSY) {
			log_err("io_uring_enter: %s", strerror(-err));
			return err;
		}
		/* Only what is there now, so that posted work gets its turn. */
		for (unsigned n = io_uring_cq_ready(&loop->ring); n; n--) {
			struct io_uring_cqe copy;

			if (io_uring_peek_cqe(&loop->ring, &cqe) < 0)
				break;
			copy = *cqe;
			io_uring_cqe_seen(&loop->ring, cqe);
			complete(loop, &copy);
		}
	}
}

static void wake(struct loop *loop)
{
	uint64_t one = 1;

	if (write(loop->event, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err("eventfd: %m");
}

static void *run_thread(void *arg)
{
	int err = loop_run(arg);

	if (err < 0) {
		log_err("event loop: %s", strerror(-err));
		abort(); /* its users would hang in silence */
	}
	return NULL;
}

int loop_start(struct loop *loop, pthread_t *thread)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = -pthread_create(thread, NULL, run_thread, loop);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopped, true);
	wake(loop);
}

void loop_post(struct loop *loop, struct loop_task *task)
{
	bool first;

	pthread_mutex_lock(&loop->lock);
	first = !loop->posted;
	task->next = loop->posted;
	loop->posted = task;
	pthread_mutex_unlock(&loop->lock);
	if (first)
		wake(loop);
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
	sqe = sqe_new(io->loop);
	io_uring_prep_poll_add(sqe, fd, events);
	io_uring_sqe_set_data(sqe, op_new(io->loop, io));
}

void loop_io_timer(struct loop_io *io, uint64_t nsec)
{
	struct io_uring_sqe *sqe;
	struct loop_op *op;

	if (io->op)
		return;
	sqe = sqe_new(io->loop);
	op = op_new(io->loop, io);
	op->ts.tv_sec = (int64_t)(nsec / NSEC_PER_SEC);
	op->ts.tv_nsec = (long long)(nsec % NSEC_PER_SEC);
	io_uring_prep_timeout(sqe, &op->ts, 0, 0);
	io_uring_sqe_set_data(sqe, op);
}

void loop_io_splice(struct loop_io *io, int in, int64_t in_off, int out, int64_t out_off, size_t len)
{
	struct io_uring_sqe *sqe;

	if (io->op)
		return;
	sqe = sqe_new(io->loop);
	io_uring_prep_splice(sqe, in, in_off, out, out_off, (unsigned)len, SPLICE_F_MOVE);
	io_uring_sqe_set_data(sqe, op_new(io->loop, io));
}

void loop_io_read(struct loop_io *io, int in, int64_t in_off, void *map, size_t size, size_t len)
{
	struct io_uring_sqe *sqe;
	struct loop_op *op;

	if (io->op)
		return;
	sqe = sqe_new(io->loop);
	op = op_new(io->loop, io);
	op->map = map;
	op->size = size;
	io_uring_prep_read(sqe, in, map, (unsigned)len, (uint64_t)in_off);
	sqe->flags |= IOSQE_ASYNC; /* else what is in memory is copied on this thread */
	io_uring_sqe_set_data(sqe, op);
}

void loop_io_fsync(struct loop_io *io, int fd)
{
	struct io_uring_sqe *sqe;

	if (io->op)
		return;
	sqe = sqe_new(io->loop);
	io_uring_prep_fsync(sqe, fd, 0);
	io_uring_sqe_set_data(sqe, op_new(io->loop, io));
}

void loop_io_abort(struct loop_io *io)
{
	struct io_uring_sqe *sqe;

	if (!io->op)
		return;
	sqe = sqe_new(io->loop);
	io_uring_prep_cancel(sqe, io->op, 0);
	io_uring_sqe_set_data(sqe, NULL);
}

void loop_io_cancel(struct loop_io *io)
{
	if (!io->op)
		return;
	loop_io_abort(io);
	io->op->io = NULL;
	io->op = NULL;
}
