#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attached.h"
#include "base.h"
#include "lane.h"

/* More than a lane has threads of the kernel's. */
#define HUNG 40

/* More than fit into its ring once they are through. */
#define THROUGH 1200
#define PAGE 4096

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

TestSuite(lane, .init = start, .fini = stop, .timeout = 60);

/* A splice out of a file, which can be had at once, or a pipe in which nothing comes. */
struct reading {
	struct loop_io io;
	struct lane *lane;
	uid_t uid;
	int fds[2];
	int into[2];
	atomic_int calls;
	atomic_int res;
	struct loop_release release;
	atomic_int released;
};

static void reading_ready(struct loop_io *io, int res)
{
	struct reading *r = container_of(io, struct reading, io);

	atomic_store(&r->res, res);
	atomic_fetch_add(&r->calls, 1);
}

static void call_read(void *arg)
{
	struct reading *r = arg;

	cr_assert_eq(lane_get(f.worker->loop, r->uid, &r->lane), 0);
	loop_io_init(&r->io, f.worker->loop, reading_ready);
	loop_io_act_as(&r->io, r->lane, 0);
	loop_io_splice(&r->io, r->fds[0], -1, r->into[1], -1, 4096);
}

static void call_let_go(void *arg)
{
	struct reading *r = arg;

	loop_io_cancel(&r->io);
	lane_put(r->lane);
}

static void call_abort(void *arg)
{
	loop_io_abort(&((struct reading *)arg)->io);
}

static void reading_released(struct loop_release *release)
{
	atomic_store(&container_of(release, struct reading, release)->released, 1);
}

static void call_release(void *arg)
{
	struct reading *r = arg;

	r->release = (struct loop_release){ .fd = r->fds[0], .released = reading_released };
	loop_release(f.worker->loop, &r->release);
}

static void reading_start(struct reading *r, uid_t uid, bool hangs)
{
	*r = (struct reading){ .uid = uid };
	if (hangs) {
		cr_assert_eq(pipe2(r->fds, O_CLOEXEC), 0);
	} else {
		r->fds[0] = file_of(&f, "read", "some bytes", 10);
		r->fds[1] = -1;
	}
	cr_assert_eq(pipe2(r->into, O_CLOEXEC), 0);
	on_worker(&f, call_read, r);
}

static void reading_finish(struct reading *r)
{
	on_worker(&f, call_let_go, r);
	on_worker(&f, call_release, r);
	WAIT_UNTIL(atomic_load(&r->released));
	close(r->into[0]);
	close(r->into[1]);
	close(r->fds[0]);
	if (r->fds[1] >= 0)
		close(r->fds[1]);
}

Test(lane, is_one_for_each_user)
{
	struct reading a, b, c;

	reading_start(&a, 1, true);
	reading_start(&b, 1, true);
	reading_start(&c, 2, true);
	cr_expect_eq(a.lane, b.lane);
	cr_expect_neq(a.lane, c.lane);
	reading_finish(&a);
	reading_finish(&b);
	reading_finish(&c);
}

Test(lane, that_is_full_holds_up_no_other)
{
	static struct reading hung[HUNG];
	struct reading other;

	for (int i = 0; i < HUNG; i++)
		reading_start(&hung[i], 1, true);
	poll(NULL, 0, 200); /* so that the kernel's threads are there */
	reading_start(&other, 2, false);
	WAIT_UNTIL(atomic_load(&other.calls));
	cr_expect_eq(atomic_load(&other.res), 10);
	reading_finish(&other);
	for (int i = 0; i < HUNG; i++) {
		cr_expect_eq(atomic_load(&hung[i].calls), 0);
		reading_finish(&hung[i]);
	}
}

/* Also of what has not got a thread yet. */
Test(lane, gives_up_what_it_is_told_to)
{
	static struct reading hung[HUNG];

	for (int i = 0; i < HUNG; i++)
		reading_start(&hung[i], 1, true);
	for (int i = HUNG; i--;) {
		on_worker(&f, call_abort, &hung[i]);
		WAIT_UNTIL(atomic_load(&hung[i].calls));
		cr_expect_lt(atomic_load(&hung[i].res), 0);
		cr_expect_eq(atomic_load(&hung[i].calls), 1);
	}
	for (int i = 0; i < HUNG; i++)
		reading_finish(&hung[i]);
}

/* The loop is busy with something else until all of them are through. */
struct crowd {
	struct loop_io ios[THROUGH];
	struct lane *lane;
	int file;
	char *pages; /* one each */
	int calls;   /* the worker's, as all of it */
};

static struct crowd crowd;

static void crowd_ready(struct loop_io *io, int res)
{
	cr_expect_eq(res, 1);
	crowd.calls++;
}

static void call_crowd(void *arg)
{
	cr_assert_eq(lane_get(f.worker->loop, 1, &crowd.lane), 0);
	for (int i = 0; i < THROUGH; i++) {
		loop_io_init(&crowd.ios[i], f.worker->loop, crowd_ready);
		loop_io_act_as(&crowd.ios[i], crowd.lane, 0);
		loop_io_read(&crowd.ios[i], crowd.file, 0, crowd.pages + i * PAGE, PAGE, 1);
	}
	for (int i = 0; i < THROUGH; i++)
		WAIT_UNTIL(*(volatile char *)(crowd.pages + i * PAGE));
	poll(NULL, 0, 100); /* from the last byte to its completion */
}

static void call_count(void *arg)
{
	*(int *)arg = crowd.calls;
}

static int crowd_calls(void)
{
	int calls;

	on_worker(&f, call_count, &calls);
	return calls;
}

static void call_leave_crowd(void *arg)
{
	lane_put(crowd.lane);
}

Test(lane, tells_of_more_than_fit_into_its_ring)
{
	crowd.file = file_of(&f, "read", "x", 1);
	crowd.pages = mmap(NULL, THROUGH * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(crowd.pages, MAP_FAILED);
	on_worker(&f, call_crowd, NULL);
	WAIT_UNTIL(crowd_calls() == THROUGH);
	on_worker(&f, call_leave_crowd, NULL);
	munmap(crowd.pages, THROUGH * PAGE);
	close(crowd.file);
}

static void call_come_and_go(void *arg)
{
	int ring = fcntl(f.dir, F_DUPFD_CLOEXEC, 0);
	struct lane *lane;

	close(ring); /* it is the next one to be had */
	cr_assert_eq(lane_get(f.worker->loop, 1, &lane), 0);
	cr_assert_geq(fcntl(ring, F_GETFD), 0);
	lane_put(lane);
	poll(NULL, 0, 100);
	cr_expect_geq(fcntl(ring, F_GETFD), 0);
	*(int *)arg = ring;
}

/* Its descriptor stays for as long as the loop has a request for it, and be it one that it has not made yet. */
Test(lane, keeps_its_ring_until_nobody_waits_for_it)
{
	int ring = -1;

	on_worker(&f, call_come_and_go, &ring);
	WAIT_UNTIL(fcntl(ring, F_GETFD) < 0);
}

/* It goes with its last user, and what is under way. */
Test(lane, leaves_nothing)
{
	for (int i = 0; i < 200; i++) {
		struct reading r;

		reading_start(&r, (uid_t)i, i % 2);
		reading_finish(&r);
	}
}
