#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fixture.h"
#include "outlet.h"

static struct fixture f;

/* An outlet that settles whenever it is told of a change. */
struct settling {
	struct outlet outlet;
	bool over;
	atomic_int changes;
	atomic_bool delivered;
	atomic_int state;
};

static struct settling s;

static void changed(struct outlet *o)
{
	s.changes++;
	if (s.over && !s.delivered && outlet_settle(o, false))
		s.delivered = true;
	s.state = (int)o->state;
}

static void call_init(void *arg)
{
	struct fifo fifo = { .dir = f.dir, .id = 1 };

	cr_assert_eq(outlet_init(&s.outlet, &fifo, f.worker->loop, &f.worker->watcher, changed), 0);
}

static void call_finish(void *arg)
{
	outlet_finish(&s.outlet);
}

static void call_hold(void *arg)
{
	int rd;

	cr_assert_eq(outlet_hold(&s.outlet), 0);
	rd = fixture_open(&f, 1, O_RDONLY); /* nobody can write without a reader */
	cr_assert_eq(write(s.outlet.fd, "0123456789", 10), 10);
	close(rd);
}

static void call_over(void *arg)
{
	s.over = true;
	changed(&s.outlet);
}

static void start(void)
{
	fixture_start(&f);
	fixture_fifo(&f, 1);
	on_worker(&f, call_init, NULL);
}

static void stop(void)
{
	on_worker(&f, call_finish, NULL);
	fixture_stop(&f);
}

TestSuite(outlet, .init = start, .fini = stop, .timeout = 20);

static void wait_state(enum outlet_state state)
{
	for (int i = 0; i < 500 && s.state != (int)state; i++)
		poll(NULL, 0, 10);
	cr_assert_eq(s.state, (int)state, "state %d, not %d", s.state, (int)state);
}

Test(outlet, keeps_bytes_without_a_reader_and_then_ends)
{
	char buf[32];
	int rd;

	on_worker(&f, call_hold, NULL);
	on_worker(&f, call_over, NULL);
	rd = fixture_open(&f, 1, O_RDONLY);
	wait_state(OUTLET_ENDING);
	cr_assert_eq(read_all(rd, buf, sizeof(buf)), 10);
	close(rd);
	wait_state(OUTLET_IDLE);
	cr_assert(s.delivered);
}

/* A reader with @flags reads a part and leaves; the next gets the rest. */
static void left_by(int flags)
{
	char buf[32];
	int rd;

	on_worker(&f, call_hold, NULL);
	on_worker(&f, call_over, NULL);
	rd = fixture_open(&f, 1, flags);
	wait_state(OUTLET_ENDING);
	cr_assert_eq(read_all(rd, buf, 4), 4);
	close(rd);
	wait_state(OUTLET_HOLDING);
	rd = fixture_open(&f, 1, O_RDONLY);
	cr_assert_eq(read_all(rd, buf, sizeof(buf)), 6);
	cr_assert_eq(memcmp(buf, "456789", 6), 0);
	close(rd);
	wait_state(OUTLET_IDLE);
}

Test(outlet, keeps_what_a_reader_left)
{
	left_by(O_RDONLY);
}

Test(outlet, keeps_what_a_reader_that_may_write_left)
{
	left_by(O_RDWR);
}

Test(outlet, is_quiet_when_nothing_happens)
{
	int before;

	on_worker(&f, call_hold, NULL);
	on_worker(&f, call_over, NULL);
	poll(NULL, 0, 50);
	before = s.changes;
	poll(NULL, 0, 200);
	cr_assert_eq(s.changes, before, "%d changes out of nothing", s.changes - before);
}
