#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fixture.h"

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

TestSuite(loop, .init = start, .fini = stop, .timeout = 60);

struct counted {
	struct loop_io io;
	int calls;
	int res;
	int fd;
	int told[2];
};

static void ready(struct loop_io *io, int res)
{
	struct counted *c = container_of(io, struct counted, io);

	c->calls++;
	c->res = res;
	if (write(c->told[1], "x", 1) != 1)
		c->calls = -1000;
}

static void arm_poll(void *arg)
{
	struct counted *c = arg;

	loop_io_poll(&c->io, c->fd, POLLIN);
}

static void arm_timer(void *arg)
{
	loop_io_timer(&((struct counted *)arg)->io, 1000000);
}

static void cancel(void *arg)
{
	loop_io_cancel(&((struct counted *)arg)->io);
}

static void nothing(void *arg)
{
}

static void counted_init(struct counted *c)
{
	*c = (struct counted){ .fd = -1 };
	loop_io_init(&c->io, f.worker->loop, ready);
	cr_assert_eq(pipe(c->told), 0);
}

static void counted_finish(struct counted *c)
{
	close(c->told[0]);
	close(c->told[1]);
}

Test(loop, a_poll_fires_once)
{
	struct counted c;
	int p[2];

	counted_init(&c);
	cr_assert_eq(pipe(p), 0);
	c.fd = p[0];
	on_worker(&f, arm_poll, &c);
	cr_assert_eq(write(p[1], "a", 1), 1);
	wait_for(c.told[0], POLLIN);
	on_worker(&f, nothing, NULL);
	cr_assert_eq(c.calls, 1);
	cr_assert(c.res & POLLIN);
	close(p[0]);
	close(p[1]);
	counted_finish(&c);
}

Test(loop, a_timer_fires_with_0)
{
	struct counted c;

	counted_init(&c);
	on_worker(&f, arm_timer, &c);
	wait_for(c.told[0], POLLIN);
	cr_assert_eq(c.res, 0);
	counted_finish(&c);
}

Test(loop, a_cancelled_io_is_never_called)
{
	struct counted c;
	int p[2];

	counted_init(&c);
	cr_assert_eq(pipe(p), 0);
	c.fd = p[0];
	for (int i = 0; i < 1000; i++) {
		on_worker(&f, arm_poll, &c);
		on_worker(&f, cancel, &c);
	}
	cr_assert_eq(write(p[1], "a", 1), 1);
	on_worker(&f, nothing, NULL);
	on_worker(&f, nothing, NULL);
	cr_assert_eq(c.calls, 0);
	close(p[0]);
	close(p[1]);
	counted_finish(&c);
}

struct ordered {
	struct loop_task task;
	int number;
};

static int next_number;
static int disorder;

static void in_order(struct loop_task *task)
{
	struct ordered *o = container_of(task, struct ordered, task);

	disorder += o->number != next_number++;
}

Test(loop, tasks_of_one_poster_run_in_order)
{
	static struct ordered tasks[5000];

	for (int i = 0; i < 5000; i++) {
		tasks[i] = (struct ordered){ .task.run = in_order, .number = i };
		loop_post(f.worker->loop, &tasks[i].task);
	}
	on_worker(&f, nothing, NULL);
	cr_assert_eq(next_number, 5000);
	cr_assert_eq(disorder, 0);
}

static int seen_at = -1;

static void note_number(struct loop_io *io, int res)
{
	seen_at = next_number;
}

struct crowd {
	struct ordered tasks[1000];
	struct loop_io io;
};

/* On the loop's own thread, so that all of them are there before the first one's turn. */
static void post_crowd(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 1000; i++) {
		c->tasks[i] = (struct ordered){ .task.run = in_order, .number = i };
		loop_post(f.worker->loop, &c->tasks[i].task);
	}
	loop_io_init(&c->io, f.worker->loop, note_number);
	loop_io_timer(&c->io, 0);
}

Test(loop, serves_others_between_many_tasks)
{
	static struct crowd c;

	on_worker(&f, post_crowd, &c);
	on_worker(&f, nothing, NULL);
	cr_assert_eq(next_number, 1000);
	cr_assert_eq(disorder, 0);
	cr_assert_geq(seen_at, 0);
	cr_assert_lt(seen_at, 1000, "a timer that was due waited for all of them");
}

/* ---- the end ---- */

struct parting {
	struct loop_task task;
	struct loop_task last;
	struct loop *loop;
	sem_t alive;
	bool ran;
};

static void run_last(struct loop_task *task)
{
	container_of(task, struct parting, last)->ran = true;
}

static void post_and_stop(struct loop_task *task)
{
	struct parting *p = container_of(task, struct parting, task);

	loop_post(p->loop, &p->last);
	loop_stop(p->loop);
}

Test(loop, runs_what_was_posted_right_before_its_stop)
{
	struct parting p = { .task.run = post_and_stop, .last.run = run_last };
	pthread_t thread;

	cr_assert_eq(loop_create(&p.loop), 0);
	cr_assert_eq(loop_start(p.loop, "loop", &thread), 0);
	loop_post(p.loop, &p.task);
	pthread_join(thread, NULL);
	cr_expect(p.ran);
	loop_destroy(p.loop);
}

static void run_alive(struct loop_task *task)
{
	sem_post(&container_of(task, struct parting, task)->alive);
}

Test(loop, does_not_end_before_what_is_expected)
{
	struct parting p = { .task.run = run_alive, .last.run = run_last };
	pthread_t thread;

	sem_init(&p.alive, 0, 0);
	cr_assert_eq(loop_create(&p.loop), 0);
	cr_assert_eq(loop_start(p.loop, "loop", &thread), 0);
	loop_expect(p.loop);
	loop_stop(p.loop);
	for (int i = 0; i < 100; i++) {
		loop_post(p.loop, &p.task);
		while (sem_wait(&p.alive) < 0)
			;
	}
	loop_arrive(p.loop, &p.last);
	pthread_join(thread, NULL);
	cr_expect(p.ran);
	loop_destroy(p.loop);
	sem_destroy(&p.alive);
}

static void *arrive(void *arg)
{
	struct parting *p = arg;

	loop_arrive(p->loop, &p->last);
	return NULL;
}

/* The kernel takes a ring apart later, and so long it counts for what an ordinary user may have locked in memory. */
static struct loop *create_in_turn(void)
{
	struct loop *loop = NULL;
	int err = loop_create(&loop);

	for (int i = 0; i < 2000 && err == -ENOMEM; i++) {
		poll(NULL, 0, 10);
		err = loop_create(&loop);
	}
	cr_assert_eq(err, 0, "%s", strerror(-err));
	return loop;
}

Test(loop, may_be_gone_when_the_last_has_arrived)
{
	for (int i = 0; i < 500; i++) {
		struct parting p = { .last.run = run_last };
		pthread_t thread, late;

		p.loop = create_in_turn();
		cr_assert_eq(loop_start(p.loop, "loop", &thread), 0);
		loop_expect(p.loop);
		loop_stop(p.loop);
		cr_assert_eq(pthread_create(&late, NULL, arrive, &p), 0);
		pthread_join(thread, NULL);
		loop_destroy(p.loop);
		cr_expect(p.ran);
		pthread_join(late, NULL);
	}
}

/* ---- left behind ---- */

static void run_quit(struct loop_task *task)
{
	struct parting *p = container_of(task, struct parting, last);

	loop_quit(p->loop);
}

Test(loop, takes_what_comes_after_it_was_left_behind)
{
	static struct parting p = { .last.run = run_quit }; /* (static: what is left behind is no leak) */
	pthread_t thread, late;

	p.loop = create_in_turn();
	loop_post(p.loop, &p.last);
	cr_assert_eq(loop_start(p.loop, "loop", &thread), 0);
	pthread_join(thread, NULL);
	loop_abandon(p.loop);
	p.last.run = run_last;
	loop_expect(p.loop);
	cr_assert_eq(pthread_create(&late, NULL, arrive, &p), 0);
	pthread_join(late, NULL);
	cr_expect(!p.ran, "nobody does it any more");
	f.fds++; /* the one that others post by */
}

static void close_ring(struct loop_task *task)
{
	char name[64], target[64] = "";

	for (int fd = 3; fd < 1024; fd++) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		if (readlink(name, target, sizeof(target) - 1) > 0 && strstr(target, "io_uring"))
			close(fd);
		memset(target, 0, sizeof(target));
	}
}

/* The end of a daemon that leaves a thread behind closes all, also under a thread that just then goes on. */
Test(loop, ring_closed_under_it)
{
	static struct loop_task task = { .run = close_ring };
	unsigned long turn = loop_turn(f.worker->loop);

	loop_post(f.worker->loop, &task);
	while (loop_turn(f.worker->loop) < turn + 2)
		usleep(1000);
	usleep(100000); /* in which it might abort */
	_exit(0);       /* as that end does: the thread is not to be had any more */
}

/* The same, before that thread has begun. */
Test(loop, ring_closed_before_it_runs)
{
	struct loop *loop = create_in_turn();
	pthread_t thread;

	close_ring(NULL);
	cr_assert_eq(loop_start(loop, "loop", &thread), 0);
	usleep(100000);
	_exit(0);
}
