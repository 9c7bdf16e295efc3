/*
 * A turn runs what was posted before it, up to LOOP_TURN_TASKS, and gives each completion that is there to its io, and then
 * waits, unless tasks are left: how much is posted is up to others, and nobody's requests wait for all of it. Nothing
 * else wakes the thread: a post and a stop write to an eventfd, whose poll is a completion as others are.
 *
 * What was posted, what is expected and whether the loop is to stop are one state under one lock, and the lock is held
 * while the eventfd is written: so no task slips between the last look at the list and the look at the stop, and who
 * has posted the last expected task does not touch a loop that is gone.
 *
 * The ring cannot fail in use but by a fault of the daemon's own or the kernel's; a loop on a thread of its own then
 * ends the process, because its users would hang in silence.
 */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "lane.h"
#include "log.h"
#include "loop-parts.h"
#include "thread.h"

#define RING_ENTRIES 256

/* Of a loop's own thread. Of callbacks none goes deep. */
#define STACK (1024ul * 1024)

static void loop_drain_event(struct loop_io *io, int res)
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
	if (err == 0) {
		/* A child of the process would keep the ring, and with it every file that is waited for. */
		err = io_uring_ring_dontfork(&loop->ring);
		if (err < 0)
			io_uring_queue_exit(&loop->ring);
	}
	if (err < 0) {
		free(loop);
		return err;
	}
	SLIST_INIT(&loop->free);
	SLIST_INIT(&loop->blocks);
	loop->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = loop->event < 0 ? -errno : loop_op_reserve(loop);
	if (err < 0) {
		fd_close(&loop->event);
		io_uring_queue_exit(&loop->ring);
		free(loop);
		return err;
	}
	pthread_mutex_init(&loop->lock, NULL);
	loop_io_init(&loop->event_io, loop, loop_drain_event);
	*out = loop;
	return 0;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	lanes_leave(loop);
	io_uring_queue_exit(&loop->ring);
	loop_op_finish(loop);
	fd_close(&loop->event);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

void loop_abandon(struct loop *loop)
{
	lanes_leave(loop);
	io_uring_queue_exit(&loop->ring);
}

/* Under the lock, or on the loop's own thread. */
static void loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	if (write(loop->event, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err("eventfd: %m");
}

/* Behind what is due, in the order in which they were posted: @list is newest first. */
static void loop_add_due(struct loop *loop, struct loop_task *list)
{
	struct loop_task *task, *ordered = NULL, *last = list;

	while ((task = list)) {
		list = task->next;
		task->next = ordered;
		ordered = task;
	}
	if (loop->due)
		loop->last_due->next = ordered;
	else
		loop->due = ordered;
	if (last)
		loop->last_due = last;
}

static void loop_run_due(struct loop *loop)
{
	struct loop_task *task;

	for (unsigned n = 0; n < LOOP_TURN_TASKS && (task = loop->due) && !loop->quits; n++) {
		loop->due = task->next;
		task->run(task);
	}
}

/*
 * Runs what is posted, some of it a turn; once the loop is to stop, all of it, and what that posts. Returns true at the
 * loop's end: it is to stop, and nothing is posted or expected.
 */
static bool loop_run_posted(struct loop *loop)
{
	bool stopped, work, over;

	do {
		struct loop_task *list;

		pthread_mutex_lock(&loop->lock);
		list = loop->posted;
		loop->posted = NULL;
		stopped = loop->stopped;
		work = list || loop->due;
		over = stopped && !loop->expected && !work;
		pthread_mutex_unlock(&loop->lock);
		loop_add_due(loop, list);
		loop_run_due(loop);
	} while (stopped && work && !loop->quits);
	return over;
}

int loop_run(struct loop *loop)
{
	int err;

	/* liburing 2.3 declares io_uring_enable_rings() and does not export it. */
	if (syscall(SYS_io_uring_register, loop->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0) {
		if (errno == EBADF)
			loop_rest();
		return -errno;
	}
	loop_io_poll(&loop->event_io, loop->event, POLLIN);
	atomic_store(&loop->thread, gettid());
	atomic_fetch_add(&loop->turn, 1);
	for (;;) {
		if (loop->quits || loop_run_posted(loop) || loop->quits)
			return 0;
		if (loop->due)
			loop_wake(loop);
		atomic_fetch_add_explicit(&loop->turn, 1, memory_order_relaxed);
		err = io_uring_submit_and_wait(&loop->ring, 1);
		atomic_fetch_add_explicit(&loop->turn, 1, memory_order_relaxed);
		if (err == -EBADF)
			loop_rest();
		if (err < 0 && err != -EINTR && err != -EAGAIN && err != -EBUSY) {
			log_err("io_uring_enter: %s", strerror(-err));
			return err;
		}
		loop_io_complete_all(loop, &loop->ring);
	}
}

void loop_rest(void)
{
	for (;;)
		pause();
}

static void *loop_run_thread(void *arg)
{
	struct loop *loop = arg;
	int err;

	thread_name(loop->name);
	err = loop_run(loop);
	if (err < 0)
		log_abort("event loop: %s", strerror(-err)); /* its users would hang in silence */
	atomic_store(&loop->ended, true);
	return NULL;
}

int loop_start(struct loop *loop, const char *name, pthread_t *thread)
{
	loop->name = name;
	return thread_start(thread, STACK, loop_run_thread, loop);
}

void loop_quit(struct loop *loop)
{
	loop->quits = true;
}

unsigned long loop_turn(const struct loop *loop)
{
	return atomic_load(&loop->turn);
}

pid_t loop_thread(const struct loop *loop)
{
	return atomic_load(&loop->thread);
}

bool loop_ended(const struct loop *loop)
{
	return atomic_load(&loop->ended);
}

void loop_stop(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->stopped = true;
	loop_wake(loop);
	pthread_mutex_unlock(&loop->lock);
}

/* @arrived: expectations that the task makes good. */
static void loop_push(struct loop *loop, struct loop_task *task, unsigned arrived)
{
	pthread_mutex_lock(&loop->lock);
	if (!loop->posted)
		loop_wake(loop);
	task->next = loop->posted;
	loop->posted = task;
	loop->expected -= arrived;
	pthread_mutex_unlock(&loop->lock);
}

void loop_post(struct loop *loop, struct loop_task *task)
{
	loop_push(loop, task, 0);
}

void loop_expect(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->expected++;
	pthread_mutex_unlock(&loop->lock);
}

void loop_arrive(struct loop *loop, struct loop_task *task)
{
	loop_push(loop, task, 1);
}

void loop_unexpect(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->expected--;
	pthread_mutex_unlock(&loop->lock);
}
