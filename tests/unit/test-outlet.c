#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fixture.h"
#include "outlet.h"
#include "sys.h"

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

/* Before the daemon opens with the access mode @mode: @call is made, and the opening is refused with @err. */
static struct {
	int mode;
	void (*call)(void);
	int err;
	atomic_int seen;
} before_open;

static int (*real_open)(int dir, const char *name, int flags);

static int hooked_open(int dir, const char *name, int flags)
{
	if (before_open.mode < 0 || flags & O_PATH || (flags & O_ACCMODE) != before_open.mode)
		return real_open(dir, name, flags);
	before_open.seen++;
	if (before_open.call)
		before_open.call();
	return before_open.err ? before_open.err : real_open(dir, name, flags);
}

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

	cr_assert_eq(outlet_init(&s.outlet, &fifo, 0, f.worker, changed), 0);
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

static void call_look(void *arg)
{
	changed(&s.outlet);
}

static void start(void)
{
	real_open = sys.open;
	before_open.mode = -1;
	sys.open = hooked_open;
	fixture_start(&f);
	fixture_fifo(&f, 1);
	on_worker(&f, call_init, NULL);
}

static void stop(void)
{
	on_worker(&f, call_finish, NULL);
	fixture_stop(&f);
}

TestSuite(outlet, .init = start, .fini = stop, .timeout = 60);

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
	int before = -1;

	on_worker(&f, call_hold, NULL);
	on_worker(&f, call_over, NULL);
	for (int i = 0; i < 20 && s.changes != before; i++) {
		before = s.changes;
		poll(NULL, 0, 200);
	}
	cr_assert_eq(s.changes, before, "%d changes out of nothing", s.changes - before);
}

static int reader;

static void read_to_the_end(void)
{
	char buf[32];
	size_t n = read_all(reader, buf, sizeof(buf));

	before_open.mode = -1;
	cr_assert_eq(n, 10);
	close(reader);
}

Test(outlet, owes_no_second_end_where_the_rest_is_read_while_it_looks)
{
	on_worker(&f, call_hold, NULL);
	reader = fixture_open(&f, 1, O_RDONLY);
	on_worker(&f, call_over, NULL);
	wait_state(OUTLET_ENDING);
	before_open.call = read_to_the_end;
	before_open.mode = O_WRONLY;
	on_worker(&f, call_look, NULL);
	cr_assert(s.delivered, "the next reader would see the end again");
	cr_assert_eq(s.state, OUTLET_IDLE);
}

/* A stream that begins and ends before anything else is heard of. */
static void call_short_stream(void *arg)
{
	s.over = s.delivered = false;
	call_hold(NULL);
	call_over(NULL);
}

Test(outlet, is_not_woken_at_the_end_of_a_stream_by_what_was_before)
{
	char buf[32];
	int before;

	on_worker(&f, call_hold, NULL);
	reader = fixture_open(&f, 1, O_RDONLY);
	on_worker(&f, call_over, NULL);
	wait_state(OUTLET_ENDING);
	cr_assert_eq(read_all(reader, buf, sizeof(buf)), 10);
	close(reader);
	wait_state(OUTLET_IDLE);
	reader = fixture_open(&f, 1, O_RDONLY);
	on_worker(&f, call_short_stream, NULL);
	cr_assert_eq(s.state, OUTLET_ENDING);
	before = s.changes;
	poll(NULL, 0, 300);
	cr_assert_eq(s.changes, before, "%d looks out of nothing", s.changes - before);
	cr_assert_eq(read_all(reader, buf, sizeof(buf)), 10);
	close(reader);
	wait_state(OUTLET_IDLE);
}

/* It is told of a closing before the reader is off the pipe's count. */
static void call_leave_while_looked_at(void *arg)
{
	changed(&s.outlet);
	close(reader);
	s.state = (int)s.outlet.state;
}

Test(outlet, does_not_take_who_is_leaving_for_a_reader)
{
	char buf[32];

	on_worker(&f, call_hold, NULL);
	reader = fixture_open(&f, 1, O_RDWR); /* whose closing is not told */
	on_worker(&f, call_over, NULL);
	wait_state(OUTLET_ENDING);
	on_worker(&f, call_leave_while_looked_at, NULL);
	cr_assert_eq(s.state, OUTLET_HOLDING, "the next reader would wait before what is left");
	poll(NULL, 0, 100);
	cr_assert_eq(s.state, OUTLET_HOLDING);
	reader = fixture_open(&f, 1, O_RDONLY);
	cr_assert_eq(read_all(reader, buf, sizeof(buf)), 10);
	close(reader);
	wait_state(OUTLET_IDLE);
}

static void wait_changes(int more)
{
	for (int i = 0; i < 500 && s.changes < more; i++)
		poll(NULL, 0, 10);
	cr_assert_geq(s.changes, more, "it is not told");
}

/* The end of the stream cannot be begun, and then the next stream is there. */
static void call_refused_end(void *arg)
{
	before_open.err = -EMFILE;
	before_open.mode = O_RDONLY;
	call_over(NULL);
	before_open.mode = -1;
	s.over = false;
}

Test(outlet, hears_of_readers_after_an_end_that_was_refused)
{
	int before;

	on_worker(&f, call_hold, NULL);
	reader = fixture_open(&f, 1, O_RDONLY);
	on_worker(&f, call_refused_end, NULL);
	cr_assert_eq(before_open.seen, 1);
	cr_assert_eq(s.state, OUTLET_HOLDING);
	close(reader);
	poll(NULL, 0, 300); /* it has tried again, and rests */
	before = s.changes;
	reader = fixture_open(&f, 1, O_RDONLY);
	wait_changes(before + 1);
	close(reader);
}

Test(outlet, tries_again_to_keep_what_was_left_until_it_can)
{
	char buf[32];

	on_worker(&f, call_hold, NULL);
	reader = fixture_open(&f, 1, O_RDONLY);
	on_worker(&f, call_over, NULL);
	wait_state(OUTLET_ENDING);
	before_open.err = -ENFILE;
	before_open.mode = O_WRONLY;
	cr_assert_eq(read_all(reader, buf, 4), 4);
	close(reader);
	for (int i = 0; i < 500 && before_open.seen < 3; i++)
		poll(NULL, 0, 10);
	cr_assert_geq(before_open.seen, 3, "tried %d times", before_open.seen);
	before_open.mode = -1;
	wait_state(OUTLET_HOLDING);
}
