/*
 * The loop's thread hands orders to the lane's, which does nothing but submit them, and takes completions out of the
 * lane's ring by itself: that ring's descriptor is polled by the loop's own. So nothing is posted to a loop that may be
 * gone, and each half of the ring has one user.
 *
 * Neither thread waits for a device. Only the end of the lane's thread does, in the kernel, for what is under way then:
 * nobody joins it. It frees the lane, once the loop's thread has said that it has no more to do with it.
 */
#include "lane.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "log.h"
#include "loop-parts.h"
#include "thread.h"

#define LANE_ENTRIES 64
#define LANE_COMPLETIONS 512

/* What may wait for a device at the same time, once for regular files and disks, and once for what has no end. */
#define LANE_BLOCKING_MAX 16

#define LANE_STACK (128ul * 1024)

/* Until the kernel has memory again, or room for completions. */
#define LANE_AGAIN_NSEC 1000000

struct lane_order {
	struct io_uring_sqe sqe;
	int forgets; /* a personality; 0: it is a request */
};

struct lane_orders {
	struct lane_order *all;
	size_t count, room;
};

/* So many find room at any rate. It grows when it is half full, so that who runs out of memory has some left. */
#define LANE_ORDERS 256

struct lane {
	struct io_uring ring;
	struct loop *loop;
	LIST_ENTRY(lane) entry;
	uid_t uid;
	unsigned holders;
	struct loop_io arrival; /* of completions */
	struct loop_release release;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t asked;
	struct lane_orders orders;
	struct lane_orders taken; /* the thread's: what it carries out; the one is the other the next time */
	bool left;                /* the loop's thread knows it no more */
};

static int lane_orders_grow(struct lane_orders *o)
{
	size_t room = o->room ? 2 * o->room : LANE_ORDERS;
	struct lane_order *grown = realloc(o->all, room * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	o->all = grown;
	o->room = room;
	return 0;
}

/* ---- the lane's thread ---- */

static void lane_enter(struct lane *lane)
{
	while (io_uring_sq_ready(&lane->ring)) {
		int n = io_uring_submit(&lane->ring);

		if (n == -EBADF)
			loop_rest();
		if (n == -EAGAIN || n == -EBUSY) {
			nanosleep(&(struct timespec){ .tv_nsec = LANE_AGAIN_NSEC }, NULL);
		} else if (n < 0 && n != -EINTR) {
			log_abort("io_uring_enter: %s", strerror(-n)); /* its users would hang in silence */
		}
	}
}

static void lane_carry_out(struct lane *lane, const struct lane_order *order)
{
	struct io_uring_sqe *sqe;
	int err;

	if (order->forgets) {
		lane_enter(lane); /* what is before would find nobody by that number */
		err = io_uring_unregister_personality(&lane->ring, order->forgets);
		if (err < 0)
			log_err("io_uring personality: %s", strerror(-err));
		return;
	}
	while (!(sqe = io_uring_get_sqe(&lane->ring)))
		lane_enter(lane);
	*sqe = order->sqe;
}

/* Takes what is ordered out of *orders, which has none. Returns false at the end. */
static bool lane_wait(struct lane *lane, struct lane_orders *orders)
{
	struct lane_orders none = *orders;
	bool left;

	pthread_mutex_lock(&lane->lock);
	while (!lane->orders.count && !lane->left)
		pthread_cond_wait(&lane->asked, &lane->lock);
	*orders = lane->orders;
	lane->orders = none;
	left = lane->left;
	pthread_mutex_unlock(&lane->lock);
	return !left;
}

/*
 * Of all loops. Each is counted before its ring is mapped and after that is unmapped, so that who looks for races knows that
 * two at the same place are one after the other: what the kernel unmaps it does not see.
 */
static atomic_uint lanes;

static void lane_destroy(struct lane *lane)
{
	io_uring_queue_exit(&lane->ring);
	atomic_fetch_sub(&lanes, 1);
	free(lane->orders.all);
	free(lane->taken.all);
	pthread_cond_destroy(&lane->asked);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}

static void *lane_run(void *arg)
{
	struct lane *lane = arg;
	struct lane_orders *orders = &lane->taken;

	thread_name("spfsd-lane");
	while (lane_wait(lane, orders)) {
		for (size_t i = 0; i < orders->count; i++)
			lane_carry_out(lane, &orders->all[i]);
		lane_enter(lane);
		orders->count = 0;
	}
	lane_destroy(lane);
	return NULL;
}

/* ---- the loop's thread ---- */

static void lane_order(struct lane *lane, const struct lane_order *order)
{
	struct lane_orders *o = &lane->orders;

	pthread_mutex_lock(&lane->lock);
	if (o->count >= o->room / 2 && lane_orders_grow(o) < 0 && o->count == o->room)
		log_abort("out of memory for a request; giving up");
	o->all[o->count++] = *order;
	pthread_cond_signal(&lane->asked);
	pthread_mutex_unlock(&lane->lock);
}

void lane_submit(struct lane *lane, const struct io_uring_sqe *sqe)
{
	lane_order(lane, &(struct lane_order){ .sqe = *sqe });
}

static void lane_leave(struct lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->left = true;
	pthread_cond_signal(&lane->asked);
	pthread_mutex_unlock(&lane->lock);
}

void lanes_leave(struct loop *loop)
{
	struct lane *lane;

	while ((lane = LIST_FIRST(&loop->lanes))) {
		LIST_REMOVE(lane, entry);
		lane_leave(lane);
	}
}

static void lane_released(struct loop_release *release)
{
	lane_leave(container_of(release, struct lane, release));
}

void lane_hold(struct lane *lane)
{
	lane->holders++;
}

void lane_put(struct lane *lane)
{
	if (!lane || --lane->holders)
		return;
	LIST_REMOVE(lane, entry);
	loop_io_cancel(&lane->arrival);
	/* That may not even be with the kernel yet, which would then find another file by the number. */
	lane->release = (struct loop_release){ .fd = lane->ring.ring_fd, .released = lane_released };
	loop_release(lane->loop, &lane->release);
}

static void lane_arrived(struct loop_io *io, int res)
{
	struct lane *lane = container_of(io, struct lane, arrival);

	loop_io_poll(io, lane->ring.ring_fd, POLLIN);
	lane_hold(lane);
	/* What did not fit in stays with the kernel until it is asked for, and the ring's descriptor is ready until then. */
	if (io_uring_cq_has_overflow(&lane->ring))
		io_uring_get_events(&lane->ring);
	loop_io_complete_all(lane->loop, &lane->ring);
	lane_put(lane);
}

static int lane_open_ring(struct io_uring *ring)
{
	struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE, .cq_entries = LANE_COMPLETIONS };
	int err = io_uring_queue_init_params(LANE_ENTRIES, ring, &params);

	if (err < 0)
		return err;
	/* A child of the process would keep the ring, and with it every file that is waited for. */
	err = io_uring_ring_dontfork(ring);
	if (err < 0) {
		io_uring_queue_exit(ring);
		return err;
	}
	err = io_uring_register_iowq_max_workers(ring, (unsigned[]){ LANE_BLOCKING_MAX, LANE_BLOCKING_MAX });
	if (err < 0)
		log_debug("io_uring workers: %s", strerror(-err)); /* before Linux 5.15 */
	return 0;
}

static int lane_create(struct loop *loop, uid_t uid, struct lane **out)
{
	struct lane *lane = calloc(1, sizeof(*lane));
	int err;

	if (!lane)
		return -ENOMEM;
	atomic_fetch_add(&lanes, 1);
	err = lane_open_ring(&lane->ring);
	if (err < 0) {
		atomic_fetch_sub(&lanes, 1);
		free(lane);
		return err;
	}
	pthread_mutex_init(&lane->lock, NULL);
	pthread_cond_init(&lane->asked, NULL);
	lane->loop = loop;
	lane->uid = uid;
	loop_io_init(&lane->arrival, loop, lane_arrived);
	err = lane_orders_grow(&lane->orders);
	if (err == 0)
		err = lane_orders_grow(&lane->taken);
	if (err == 0)
		err = thread_start(NULL, LANE_STACK, lane_run, lane);
	if (err < 0) {
		lane_destroy(lane);
		return err;
	}
	LIST_INSERT_HEAD(&loop->lanes, lane, entry);
	loop_io_poll(&lane->arrival, lane->ring.ring_fd, POLLIN);
	*out = lane;
	return 0;
}

int lane_get(struct loop *loop, uid_t uid, struct lane **out)
{
	struct lane *lane;
	int err = 0;

	LIST_FOREACH(lane, &loop->lanes, entry)
		if (lane->uid == uid)
			break;
	if (!lane)
		err = lane_create(loop, uid, &lane);
	if (err < 0)
		return err;
	lane_hold(lane);
	*out = lane;
	return 0;
}

int lane_personality_add(struct lane *lane)
{
	return io_uring_register_personality(&lane->ring);
}

void lane_personality_remove(struct lane *lane, int personality)
{
	if (personality)
		lane_order(lane, &(struct lane_order){ .forgets = personality });
}
