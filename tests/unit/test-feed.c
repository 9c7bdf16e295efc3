#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "feed.h"
#include "fixture.h"
#include "pipe.h"

#define BIG 300000

static struct fixture f;
static struct channel *ch;
static struct feed *feed;
static char data[BIG];
static int feed_err;

struct op {
	struct feed_op op;
	ssize_t result;
	sem_t done;
	int calls;
};

static void done(struct feed_op *op, ssize_t result)
{
	struct op *o = container_of(op, struct op, op);

	o->result = result;
	o->calls++;
	sem_post(&o->done);
}

static void call_create(void *arg)
{
	feed_err = feed_create(&feed, ch);
}

static void call_destroy(void *arg)
{
	feed_destroy(feed);
	feed = NULL;
}

static void call_submit(void *arg)
{
	feed_submit(feed, arg);
}

static void call_cancel(void *arg)
{
	feed_cancel(feed, arg);
}

static void call_cancel_all(void *arg)
{
	feed_cancel_all(feed);
}

static void start(void)
{
	faults_install();
	fixture_start(&f);
	ch = fixture_channel(&f, 0);
	for (size_t i = 0; i < BIG; i++)
		data[i] = (char)(i * 131 + i / 4093);
	on_worker(&f, call_create, NULL);
	cr_assert_eq(feed_err, 0);
}

static void stop(void)
{
	on_worker(&f, call_destroy, NULL);
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(feed, .init = start, .fini = stop, .timeout = 60);

static void submit(struct op *o, enum feed_kind kind, void *buf, size_t len)
{
	o->op.kind = kind;
	o->op.buf = buf;
	o->op.len = len;
	o->op.done = done;
	sem_init(&o->done, 0, 0);
	on_worker(&f, call_submit, &o->op);
}

static bool parked(const struct op *o)
{
	return o->calls == 0;
}

static ssize_t result(struct op *o)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	cr_assert_eq(sem_timedwait(&o->done, &end), 0, "never answered");
	cr_assert_eq(o->calls, 1, "answered %d times", o->calls);
	return o->result;
}

static void call_plain(void *arg)
{
	*(bool *)arg = TAILQ_EMPTY(&ch->inlets) && !ch->keeping;
}

static bool plain(void)
{
	bool is;

	on_worker(&f, call_plain, &is);
	return is;
}

/* Fills the FIFO; the returned request is parked with what went in. */
static struct op *fill(void)
{
	static struct op o;

	submit(&o, FEED_WRITE, data, BIG);
	cr_assert(parked(&o));
	return &o;
}

/* Reads @len bytes of the data from its byte @from on. */
static void expect(int rd, size_t from, size_t len)
{
	static char buf[BIG];

	cr_assert_eq(read_all(rd, buf, len), len);
	cr_assert_eq(memcmp(buf, data + from, len), 0);
}

Test(feed, answers_at_once_what_there_is_room_for)
{
	struct op o = { 0 };
	int rd;

	submit(&o, FEED_WRITE, data, 5000);
	cr_assert_not(parked(&o));
	cr_assert_eq(result(&o), 5000);
	rd = fixture_open(&f, 1, O_RDONLY);
	expect(rd, 0, 5000);
	close(rd);
}

Test(feed, parks_a_write_until_all_of_it_is_read_or_has_room)
{
	struct op *o = fill();
	int rd = fixture_open(&f, 1, O_RDONLY);

	expect(rd, 0, BIG);
	cr_assert_eq(result(o), BIG);
	close(rd);
}

Test(feed, says_again_instead_of_waiting_where_it_must_not)
{
	struct op part = { .op.nonblock = true }, none = { .op.nonblock = true };
	ssize_t n;

	submit(&part, FEED_WRITE, data, BIG);
	n = result(&part);
	cr_assert(n > 0 && n < BIG, "%zd", n);
	submit(&none, FEED_WRITE, data, BIG);
	cr_assert_eq(result(&none), -EAGAIN);
}

Test(feed, gives_a_cancelled_write_what_it_has_moved)
{
	struct op *o = fill();
	ssize_t n;
	int rd;

	on_worker(&f, call_cancel, &o->op);
	n = result(o);
	cr_assert(n > 0 && n < BIG, "%zd", n);
	on_worker(&f, call_cancel, &o->op);
	cr_assert_eq(o->calls, 1);
	rd = fixture_open(&f, 1, O_RDONLY);
	expect(rd, 0, (size_t)n);
	close(rd);
}

Test(feed, interrupts_a_cancelled_write_that_has_moved_nothing)
{
	struct op *first = fill();
	struct op second = { 0 };

	submit(&second, FEED_WRITE, data, 10);
	cr_assert(parked(&second));
	on_worker(&f, call_cancel, &second.op);
	cr_assert_eq(result(&second), -EINTR);
	cr_assert(parked(first));
	on_worker(&f, call_cancel, &first->op);
}

Test(feed, ends_everything_that_is_parked)
{
	struct op *first = fill();
	struct op others[3] = { 0 };

	for (int i = 0; i < 3; i++)
		submit(&others[i], FEED_WRITE, data, 10);
	on_worker(&f, call_cancel_all, NULL);
	cr_assert_gt(result(first), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(result(&others[i]), -ENOTCONN, "the daemon leaves");
}

Test(feed, writes_zeros_first_and_does_not_count_them)
{
	struct op o = { .op.zeros = 150000 };
	static char buf[150000], zeros[150000];
	int rd;

	submit(&o, FEED_WRITE, data, 7);
	cr_assert(parked(&o));
	rd = fixture_open(&f, 1, O_RDONLY);
	cr_assert_eq(read_all(rd, buf, sizeof(buf)), sizeof(buf));
	cr_assert_eq(memcmp(buf, zeros, sizeof(buf)), 0);
	expect(rd, 0, 7);
	cr_assert_eq(result(&o), 7);
	cr_assert_eq(o.op.moved, 150007);
	close(rd);
}

/* As if its reader were always faster. */
static ssize_t write_all(int fd, const void *buf, size_t len)
{
	return (ssize_t)len;
}

Test(feed, lets_others_have_a_turn_though_there_is_always_room)
{
	struct op o = { .op.zeros = (size_t)1 << 60 };

	sys.write = write_all;
	submit(&o, FEED_WRITE, data, 10); /* it would never come back */
	cr_assert(parked(&o));
	on_worker(&f, call_cancel, &o.op);
	cr_assert_eq(result(&o), -EINTR);
}

Test(feed, parks_a_read_until_there_is_something)
{
	struct op rd = { 0 }, wr = { 0 };
	char buf[100];

	submit(&rd, FEED_READ, buf, sizeof(buf));
	cr_assert(parked(&rd));
	submit(&wr, FEED_WRITE, data, 33);
	cr_assert_eq(result(&wr), 33);
	cr_assert_eq(result(&rd), 33);
	cr_assert_eq(memcmp(buf, data, 33), 0);
}

Test(feed, a_read_makes_room_for_its_own_parked_write)
{
	struct op *wr = fill();
	static char buf[BIG];

	for (size_t got = 0; got < BIG;) {
		struct op rd = { 0 };
		ssize_t n;

		submit(&rd, FEED_READ, buf + got, BIG - got);
		n = result(&rd);
		cr_assert_gt(n, 0);
		got += (size_t)n;
	}
	cr_assert_eq(result(wr), BIG);
	cr_assert_eq(memcmp(buf, data, BIG), 0);
}

Test(feed, tells_who_polls)
{
	struct op in = { .op.events = POLLIN }, out = { .op.events = POLLOUT };
	struct op *full;
	int rd;

	submit(&out, FEED_POLL, NULL, 0);
	cr_assert_eq(result(&out), POLLOUT);
	submit(&in, FEED_POLL, NULL, 0);
	cr_assert(parked(&in));
	full = fill();
	cr_assert_eq(result(&in), POLLIN);
	out = (struct op){ .op.events = POLLOUT };
	submit(&out, FEED_POLL, NULL, 0);
	cr_assert(parked(&out));
	rd = fixture_open(&f, 1, O_RDONLY);
	expect(rd, 0, BIG);
	cr_assert_eq(result(&out), POLLOUT);
	cr_assert_eq(result(full), BIG);
	close(rd);
}

Test(feed, leaves_what_waits_to_a_later_reader_and_then_its_end)
{
	struct op o = { 0 };
	int rd;

	submit(&o, FEED_WRITE, data, 1000);
	on_worker(&f, call_destroy, NULL);
	rd = fixture_open(&f, 1, O_RDONLY);
	expect(rd, 0, 1000);
	cr_assert_eq(read_all(rd, data, 1), 0, "no end of file");
	close(rd);
	for (int i = 0; i < 2000 && !plain(); i++)
		poll(NULL, 0, 10);
	cr_assert(plain(), "the daemon holds on to it");
}

static void call_cancel_and_destroy(void *arg)
{
	feed_cancel_all(feed);
	call_destroy(NULL);
}

/* The poll that waited for room, cancelled in the same turn, held the file open: it passed for a reader. */
Test(feed, a_parked_write_that_is_given_up_leaves_what_waits_to_a_later_reader)
{
	struct op *o = fill();
	char name[FIFO_NAME_MAX];
	size_t moved, n;
	int rd;

	on_worker(&f, call_cancel_and_destroy, NULL);
	moved = (size_t)result(o);
	fifo_name(name, 1);
	rd = openat(f.dir, name, O_RDONLY); /* blocks where nobody holds the other end */
	cr_assert_geq(rd, 0);
	n = read_all(rd, (char[BIG]){ 0 }, BIG);
	cr_expect_eq(n, moved);
	close(rd);
}

Test(feed, leaves_nothing_behind_where_nothing_was_written)
{
	on_worker(&f, call_destroy, NULL);
	cr_assert(plain());
}

Test(feed, is_not_there_without_descriptors)
{
	struct feed *kept = feed;

	fault_open = (struct fault){ .nth = 1, .count = 1, .err = -EMFILE };
	on_worker(&f, call_create, NULL);
	cr_assert_eq(feed_err, -EMFILE);
	cr_assert_eq(feed, kept);
}

static void call_never_ends(void *arg)
{
	ch->settings.value[SETTING_EOF] = EOF_NEVER;
}

static void call_add_tap(void *arg)
{
	*(int *)arg = channel_add_tap(ch, 2, &(struct limits){ .settings = settings_preset });
}

Test(feed, leaves_what_waits_where_it_was_when_a_tap_is_refused)
{
	struct op o = { 0 };
	int rd;

	fixture_fifo(&f, 2);
	on_worker(&f, call_never_ends, NULL); /* so that an inlet is opened as well */
	submit(&o, FEED_WRITE, data, 1000);
	on_worker(&f, call_destroy, NULL);
	for (unsigned nth = 1; nth <= 3; nth++) {
		int err = 0;

		fault_open = (struct fault){ .nth = nth, .count = 1, .err = -EMFILE };
		on_worker(&f, call_add_tap, &err);
		cr_expect_eq(err, -EMFILE, "%u", nth);
	}
	fault_open = (struct fault){ 0 };
	rd = fixture_open(&f, 1, O_RDONLY);
	expect(rd, 0, 1000);
	cr_expect_eq(read_all(rd, data, 1), 0, "no end of file");
	close(rd);
}

Test(feed, leaves_what_was_written_where_only_the_reserve_of_descriptors_is_left)
{
	struct op o = { 0 };
	struct rlimit limit, low;
	int rd = open("/dev/null", O_RDONLY); /* the next one would be about as high */

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)rd + FIFO_FD_RESERVE / 2;
	close(rd);
	submit(&o, FEED_WRITE, data, 5000);
	cr_assert_eq(result(&o), 5000);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	on_worker(&f, call_destroy, NULL);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	rd = fixture_open(&f, 1, O_RDONLY);
	expect(rd, 0, 5000);
	close(rd);
}

/* ---- who is charged ---- */

static void wait_plain(void)
{
	for (int i = 0; i < 2000 && !plain(); i++)
		poll(NULL, 0, 10);
	cr_assert(plain());
}

static void call_give(void *arg)
{
	cr_assert_eq(ch->charge.amount, 0);
	ch->charge.account = arg;
}

/* Whose the channel is from now on; there is no feed. */
static struct account *account_of_owner(void)
{
	static struct accounts list;
	struct account *a = accounts_of(&list, 4001);

	cr_assert(a);
	on_worker(&f, call_destroy, NULL);
	wait_plain();
	on_worker(&f, call_give, a);
	return a;
}

static uint64_t used(const struct account *a)
{
	return atomic_load(&a->of[ACCOUNT_BYTES].used);
}

static void begin_again(struct account *a, uint64_t limit)
{
	atomic_store(&a->of[ACCOUNT_BYTES].limit, limit);
	on_worker(&f, call_create, NULL);
}

Test(feed, its_ring_is_charged_until_what_it_leaves_was_read)
{
	struct op o = { 0 };
	struct account *a;
	char got[8];
	int fd;

	a = account_of_owner();
	begin_again(a, 0);
	cr_assert_eq(feed_err, 0);
	cr_expect_eq(used(a), 65536);
	submit(&o, FEED_WRITE, data, 5);
	cr_assert_eq(result(&o), 5);
	on_worker(&f, call_destroy, NULL);
	cr_expect_eq(used(a), 65536, "%ju", (uintmax_t)used(a));
	fd = fixture_open(&f, 1, O_RDONLY);
	cr_assert_eq(fcntl(fd, F_GETPIPE_SZ), 65536);
	cr_assert_eq(read_all(fd, got, sizeof(got)), 5);
	close(fd);
	wait_plain();
	cr_expect_eq(used(a), 0, "%ju", (uintmax_t)used(a));
}

static struct inlet source;

static void call_open_source(void *arg)
{
	source = (struct inlet){ .fd = -1, .wide = true };
	*(int *)arg = inlet_open(&source, ch);
}

static void call_close_source(void *arg)
{
	inlet_close(&source);
}

/* A source's ring is wider, and stays so where more is in it than it should hold. */
Test(feed, what_is_kept_in_a_ring_that_cannot_shrink_is_charged_in_full)
{
	struct op o = { 0 };
	struct account *a;
	int fd, err;

	a = account_of_owner();
	begin_again(a, 0);
	on_worker(&f, call_open_source, &err);
	cr_assert_eq(err, 0);
	cr_expect_eq(used(a), PIPE_SIZE);
	submit(&o, FEED_WRITE, data, BIG);
	cr_assert_eq(result(&o), BIG);
	on_worker(&f, call_destroy, NULL);
	on_worker(&f, call_close_source, NULL);
	cr_assert_not(plain());
	fd = fixture_open(&f, 1, O_RDONLY);
	cr_expect_eq(used(a), (uint64_t)fcntl(fd, F_GETPIPE_SZ));
	cr_expect_geq(used(a), BIG);
	while (read(fd, data, sizeof(data)) > 0)
		;
	close(fd);
	wait_plain();
	cr_expect_eq(used(a), 0);
}

Test(feed, there_is_none_beyond_the_quota)
{
	struct account *a;

	a = account_of_owner();
	begin_again(a, 65535);
	cr_expect_eq(feed_err, -EDQUOT);
	cr_expect_null(feed);
	cr_expect_eq(used(a), 0);
	begin_again(a, 65536);
	cr_expect_eq(feed_err, 0);
}
