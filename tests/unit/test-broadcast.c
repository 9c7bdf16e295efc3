/* Broadcasts: who is awaited, who comes, and who goes; and what becomes of a stream that nobody reads. */
#include "broadcast.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "fixture.h"
#include "channel-parts.h"
#include "report.h"

#define NAME 9
#define FIRST 10

struct guest {
	struct visitor visitor;
	sem_t gone;
	int err;
};

static struct fixture f;
static struct channel *ch;

static void call_pump(void *arg)
{
	channel_pump(ch);
}

static void call_add(void *arg)
{
	*(int *)arg = channel_add_broadcast(ch, NAME, &settings_preset, false);
}

static void start(void)
{
	int err;

	faults_install();
	fixture_start(&f);
	ch = fixture_channel(&f, 0);
	on_worker(&f, call_add, &err);
	cr_assert_eq(err, 0);
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(broadcast, .init = start, .fini = stop, .timeout = 60);

static void guest_gone(struct visitor *v)
{
	sem_post(&container_of(v, struct guest, visitor)->gone);
}

static void call_await(void *arg)
{
	struct guest *g = arg;

	g->err = channel_await(ch, NAME, &g->visitor);
}

static void prepare_guest(struct guest *g, uint64_t id, bool writes)
{
	*g = (struct guest){ .visitor = { .id = id, .writes = writes, .gone = guest_gone } };
	sem_init(&g->gone, 0, 0);
}

static void await_guest(struct guest *g, uint64_t id, bool writes)
{
	prepare_guest(g, id, writes);
	on_worker(&f, call_await, g);
}

/* Opens what he was answered with: nobody ever sees an end there before there is one. */
static int welcome(struct guest *g, uint64_t id, bool writes)
{
	char c;
	int fd;

	fixture_fifo(&f, id);
	await_guest(g, id, writes);
	cr_assert_eq(g->err, 0, "%s", strerror(-g->err));
	fd = fixture_open(&f, id, O_RDONLY);
	cr_assert(read(fd, &c, 1) < 0 ? errno == EAGAIN : c == 'a');
	return fd;
}

static bool is_gone(struct guest *g, int msec)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += msec / 1000;
	until.tv_nsec += msec % 1000 * 1000000l;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return sem_timedwait(&g->gone, &until) == 0;
}

static void call_report(void *arg)
{
	*(struct report **)arg = report_create(ch);
}

static struct tap_report look(void)
{
	struct tap_report tap;
	struct report *r;

	on_worker(&f, call_report, &r);
	cr_assert_eq(r->count, 1);
	tap = r->taps[0];
	cr_assert(tap.each && tap.id == NAME);
	report_free(r);
	return tap;
}

static void wait_readers(uint64_t n)
{
	for (int i = 0; i < 2000 && look().readers != n; i++)
		poll(NULL, 0, 10);
	cr_assert_eq(look().readers, n);
}

static void send(const char *text)
{
	int wr = fixture_open(&f, 1, O_WRONLY);

	cr_assert_eq(write(wr, text, strlen(text)), (ssize_t)strlen(text));
	close(wr);
}

static void expect(int fd, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char got[64];

	for (int i = 0; i < 2000 && !(p.revents & POLLIN); i++) { /* until then it tells of the end before */
		poll(NULL, 0, p.revents ? 10 : 0);
		cr_assert_eq(poll(&p, 1, 20000), 1);
	}
	cr_assert_eq(read_all(fd, got, sizeof(got)), strlen(text));
	cr_assert_eq(memcmp(got, text, strlen(text)), 0);
}

Test(broadcast, each_who_comes_has_what_follows_and_its_end)
{
	struct guest a, b;
	int one = welcome(&a, FIRST, true), two = welcome(&b, FIRST + 1, true);

	wait_readers(2);
	send("hello");
	expect(one, "hello");
	expect(two, "hello");
	close(one);
	cr_assert(is_gone(&a, 20000));
	wait_readers(1);
	send("again");
	expect(two, "again");
	close(two);
	cr_assert(is_gone(&b, 20000));
	cr_assert_eq(look().bytes_out, 15);
	cr_assert_eq(look().lost, 0);
}

/* On the worker, which hears of all of it only afterwards. */
static void call_leave_and_write(void *arg)
{
	close(*(int *)arg);
	send("two");
	channel_pump(ch);
}

Test(broadcast, what_is_written_after_the_last_reader_has_left_waits)
{
	struct guest a, b;
	int one = welcome(&a, FIRST, true), two;

	wait_readers(1);
	send("one");
	expect(one, "one");
	on_worker(&f, call_leave_and_write, &one);
	cr_assert(is_gone(&a, 20000));
	fixture_fifo(&f, FIRST + 1);
	await_guest(&b, FIRST + 1, true);
	two = fixture_open(&f, FIRST + 1, O_RDONLY);
	expect(two, "two");
	close(two);
	cr_assert(is_gone(&b, 20000));
	cr_assert_eq(look().bytes_out, 6);
	cr_assert_eq(look().lost, 0);
}

static void wait_waiting(uint64_t bytes)
{
	for (int i = 0; i < 2000 && look().waiting != bytes; i++)
		poll(NULL, 0, 10);
	cr_assert_eq(look().waiting, bytes);
}

/* In mid-stream, and with the rest of one that is over. */
Test(broadcast, what_a_reader_leaves_is_lost_where_nobody_else_has_it)
{
	struct guest a, b, c;
	int one = welcome(&a, FIRST, true), two = welcome(&b, FIRST + 1, true), wr = fixture_open(&f, 1, O_WRONLY);

	wait_readers(2);
	cr_assert_eq(write(wr, "both", 4), 4);
	wait_waiting(4);
	close(one);
	cr_assert(is_gone(&a, 20000));
	cr_assert_eq(look().lost, 0);
	wait_waiting(4);
	close(two);
	cr_assert(is_gone(&b, 20000));
	cr_assert_eq(look().lost, 4);
	close(wr);
	one = welcome(&c, FIRST + 2, true);
	wait_readers(1);
	send("rest");
	wait_waiting(4);
	close(one);
	cr_assert(is_gone(&c, 20000));
	cr_assert_eq(look().lost, 8);
	cr_assert_eq(look().bytes_out, 4);
}

struct late {
	const char *stream;
	bool waits; /* before he comes */
	int fd;
};

static void call_come_late(void *arg)
{
	struct late *l = arg;

	if (l->waits) {
		send(l->stream);
		channel_pump(ch);
	}
	l->fd = fixture_open(&f, FIRST + 1, O_RDONLY);
	if (!l->waits)
		send(l->stream);
}

/* He comes between two streams, of which the second waits whole; or it is not known yet that it does. */
static void come_late(bool waits, const char *expected)
{
	struct late l = { .stream = "THRDmnopqrstuvwx", .waits = waits };
	struct guest a, b;
	int fd = welcome(&a, FIRST, true);

	wait_readers(1);
	send("NEW!ijkl");
	expect(fd, "NEW!ijkl");
	close(fd);
	cr_assert(is_gone(&a, 20000));
	fixture_fifo(&f, FIRST + 1);
	await_guest(&b, FIRST + 1, true);
	on_worker(&f, call_come_late, &l);
	expect(l.fd, expected);
	close(l.fd);
	cr_assert(is_gone(&b, 20000));
	cr_assert_eq(look().lost, 0);
}

Test(broadcast, who_comes_to_a_stream_that_waits_gets_that_and_no_end_before)
{
	cr_assert_eq(fixture_set(&f, ch, 0, SETTING_PROLOGUE, 4), 0);
	cr_assert_eq(fixture_set(&f, ch, 0, SETTING_REPLAY, 8), 0);
	come_late(true, "THRDmnopqrstuvwx");
}

Test(broadcast, who_comes_to_a_stream_that_nobody_knows_of_yet_gets_that)
{
	cr_assert_eq(fixture_set(&f, ch, 0, SETTING_PROLOGUE, 4), 0);
	cr_assert_eq(fixture_set(&f, ch, 0, SETTING_REPLAY, 8), 0);
	come_late(false, "THRDmnopqrstuvwx");
}

/* Without a prologue of its own it does not replace the replay. */
Test(broadcast, who_comes_to_a_stream_that_waits_gets_the_replay_before)
{
	cr_assert_eq(fixture_set(&f, ch, 0, SETTING_REPLAY, 8), 0);
	come_late(true, "NEW!ijklTHRDmnopqrstuvwx");
}

Test(broadcast, who_opens_nothing_is_let_go)
{
	struct guest g;

	fixture_fifo(&f, FIRST);
	await_guest(&g, FIRST, true);
	cr_assert_eq(g.err, 0);
	cr_assert_not(is_gone(&g, 700));
	cr_assert(is_gone(&g, 20000));
	cr_assert_eq(look().readers, 0);
}

Test(broadcast, who_is_awaited_again_comes_in)
{
	struct guest g;
	int fd;

	fixture_fifo(&f, FIRST);
	await_guest(&g, FIRST, true);
	cr_assert(is_gone(&g, 20000));
	fd = fixture_open(&f, FIRST, O_RDONLY); /* without a writer */
	g.visitor.again = true;
	on_worker(&f, call_await, &g);
	cr_assert_eq(g.err, 0);
	wait_readers(1);
	send("late");
	expect(fd, "late");
	close(fd);
	cr_assert(is_gone(&g, 20000));
}

static void call_remove(void *arg)
{
	channel_remove_tap(ch, NAME);
}

static void call_dismiss(void *arg)
{
	channel_dismiss(ch, &((struct guest *)arg)->visitor);
}

Test(broadcast, who_is_dismissed_is_gone_at_once_and_only_once)
{
	struct guest g;

	fixture_fifo(&f, FIRST);
	await_guest(&g, FIRST, true);
	on_worker(&f, call_dismiss, &g);
	cr_assert(is_gone(&g, 0));
	on_worker(&f, call_dismiss, &g);
	cr_assert_not(is_gone(&g, 100));
}

Test(broadcast, a_stream_waits_for_who_comes_and_keeps_its_writer)
{
	struct guest g;
	int wr = fixture_open(&f, 1, O_WRONLY), fd;

	cr_assert_eq(write(wr, "abc", 3), 3);
	fixture_fifo(&f, FIRST);
	await_guest(&g, FIRST, true);
	fd = fixture_open(&f, FIRST, O_RDONLY);
	wait_for(fd, POLLIN);
	close(fd);
	cr_assert(is_gone(&g, 20000));
	cr_assert_eq(write(wr, "def", 3), 3); /* no EPIPE */
	close(wr);
	fixture_fifo(&f, FIRST + 1);
	await_guest(&g, FIRST + 1, true);
	fd = fixture_open(&f, FIRST + 1, O_RDONLY); /* (not welcome(), which would take of what waits) */
	expect(fd, "def");
	close(fd);
	cr_assert(is_gone(&g, 20000));
}

static struct waits channel_waits(void)
{
	struct waits waits;
	struct report *r;

	on_worker(&f, call_report, &r);
	waits = r->waits;
	report_free(r);
	return waits;
}

/* Writes of 3000 bytes, of which a page holds one, until there is no room: of bytes there is. */
Test(broadcast, that_nobody_reads_holds_a_writer_back_once_there_is_no_room)
{
	static char block[3000];
	int wr;

	cr_assert_eq(look().waits.flow, FLOW_IDLE);
	wr = fixture_open(&f, 1, O_WRONLY);
	cr_assert_eq(write(wr, "c", 1), 1);
	for (int i = 0; i < 2000 && strncmp(channel_waits().text, "waiting for a reader of a", 25) != 0; i++)
		poll(NULL, 0, 10);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(channel_waits().flow, FLOW_READER);
		cr_assert_eq(channel_waits().tap, 0);
		cr_assert_eq(look().waits.flow, FLOW_READER);
		cr_assert_eq(look().waits.since, 0);
		on_worker(&f, call_pump, NULL);
	}
	while (write(wr, block, sizeof(block)) > 0)
		;
	for (int i = 0; i < 2000 && channel_waits().flow != FLOW_BLOCKED; i++)
		poll(NULL, 0, 10);
	cr_assert_eq(channel_waits().flow, FLOW_BLOCKED);
	cr_assert_eq(channel_waits().tap, NAME);
	cr_assert_gt(channel_waits().since, 0);
	cr_assert_eq(look().waits.flow, FLOW_BLOCKS);
	cr_assert_eq(look().waits.since, channel_waits().since);
	close(wr);
}

Test(broadcast, that_nobody_reads_has_ended_with_its_stream)
{
	struct guest g;
	int fd = welcome(&g, FIRST, true);

	wait_readers(1);
	send("all of it");
	expect(fd, "all of it");
	close(fd);
	cr_assert(is_gone(&g, 20000));
	cr_assert_eq(look().waits.flow, FLOW_ENDED);
}

/* As each tap that begins now. */
Test(broadcast, with_a_latency_has_the_sizes_that_its_taps_begin_with)
{
	uint64_t size = 0, depth = 0;

	cr_assert_eq(fixture_set(&f, ch, NAME, SETTING_LATENCY, 100), 0);
	cr_assert_eq(channel_get(ch, NAME, SETTING_SIZE, &size), 0); /* (nothing goes on) */
	cr_assert_eq(channel_get(ch, NAME, SETTING_DEPTH, &depth), 0);
	cr_assert_eq(size + depth, 65536);
	cr_assert_eq(fixture_set(&f, ch, NAME, SETTING_LATENCY, 0), 0);
	cr_assert_eq(channel_get(ch, NAME, SETTING_DEPTH, &depth), 0);
	cr_assert_eq(size + depth, 65536, "they stay as they are");
}

static void call_add_other(void *arg)
{
	*(int *)arg = channel_add_broadcast(ch, NAME - 1, &settings_preset, false);
}

static void call_flush(void *arg)
{
	*(int *)arg = channel_flush(ch, NAME);
}

/* It has to wait for the other's; whoever comes to the one that was flushed has what was written afterwards. */
Test(broadcast, what_is_flushed_waits_for_another_name)
{
	struct guest g;
	int wr = fixture_open(&f, 1, O_WRONLY), fd, err;

	on_worker(&f, call_add_other, &err);
	cr_assert_eq(err, 0);
	cr_assert_eq(write(wr, "old", 3), 3);
	on_worker(&f, call_flush, &err);
	cr_assert_eq(err, 0);
	cr_assert_eq(fixture_bytes_in(&f, ch), 0);
	fixture_fifo(&f, FIRST);
	await_guest(&g, FIRST, true);
	fd = fixture_open(&f, FIRST, O_RDONLY);
	for (int i = 0; i < 2000 && !fixture_bytes_in(&f, ch); i++)
		poll(NULL, 0, 10);
	cr_assert_eq(write(wr, "new", 3), 3);
	close(wr);
	expect(fd, "new");
	close(fd);
	cr_assert(is_gone(&g, 20000));
}

static void call_drop(void *arg)
{
	*(int *)arg = channel_set(ch, NAME, SETTING_POLICY, POLICY_DROP_OLD);
}

Test(broadcast, a_policy_that_drops_lets_the_stream_go_on_without_a_reader)
{
	static char block[65536];
	int err, wr;

	on_worker(&f, call_drop, &err);
	cr_assert_eq(err, 0);
	wr = fixture_open(&f, 1, O_WRONLY);
	for (int i = 0; i < 100; i++) {
		wait_for(wr, POLLOUT);
		cr_assert_gt(write(wr, block, sizeof(block)), 0);
	}
	close(wr);
	for (int i = 0; i < 2000 && look().lost < sizeof(block); i++)
		poll(NULL, 0, 10);
	cr_assert_geq(look().lost, sizeof(block));
}

/* The policy is nobody's wish yet. */
Test(broadcast, who_may_not_write_holds_nobody_back)
{
	static char block[65536];
	struct guest g;
	int fd = welcome(&g, FIRST, false), wr;

	wait_readers(1);
	wr = fixture_open(&f, 1, O_WRONLY);
	for (int i = 0; i < 200; i++) {
		wait_for(wr, POLLOUT);
		cr_assert_gt(write(wr, block, sizeof(block)), 0);
	}
	close(wr);
	for (int i = 0; i < 2000 && !look().lost; i++)
		poll(NULL, 0, 10);
	cr_assert_gt(look().lost, 0);
	close(fd);
	cr_assert(is_gone(&g, 20000));
}

/* Of one user 1024 are awaited; what others look up does not count. In one turn, so that nobody's time is over. */
static void call_crowd(void *arg)
{
	enum { MOST = 1024 };
	static struct guest others[MOST], mine[2];
	static struct account other = { .uid = 1 }, me = { .uid = 2 };

	for (uint64_t i = 0; i < MOST; i++)
		others[i].visitor = (struct visitor){ .id = FIRST + 2 + i, .account = &other, .gone = guest_gone };
	for (uint64_t i = 0; i < 2; i++)
		mine[i].visitor = (struct visitor){ .id = FIRST + i, .account = &me, .gone = guest_gone };
	call_await(&mine[0]);
	for (int i = 0; i < MOST; i++)
		call_await(&others[i]);
	call_await(&mine[1]);
	if (mine[0].err == 0 && others[MOST - 1].err == 0 && mine[1].err == 0)
		*(bool *)arg = sem_trywait(&mine[0].gone) < 0;
}

Test(broadcast, nobody_is_let_go_for_what_others_look_up)
{
	struct rlimit files;
	bool stays = false;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (uint64_t i = 0; i < 1024 + 2; i++)
		fixture_fifo(&f, FIRST + i);
	on_worker(&f, call_crowd, &stays);
	cr_assert(stays);
	on_worker(&f, call_remove, NULL);
}

/* All of one user, whose limits allow one. In one turn, so that nobody's time is over. */
static void call_ahead(void *arg)
{
	struct guest *first = arg, *ahead = first + 1, *second = first + 2;
	struct account *me = first->visitor.account;

	ahead->visitor.ahead = true;
	call_await(first);
	atomic_store(&me->of[ACCOUNT_BYTES].limit, atomic_load(&me->of[ACCOUNT_BYTES].used));
	poll(NULL, 0, 30); /* he is old enough to make room for another */
	call_await(ahead);
	call_await(second);
}

Test(broadcast, who_is_made_ahead_takes_nobody_s_room)
{
	struct account me = { .uid = 1 };
	struct guest guests[3];

	for (uint64_t i = 0; i < 3; i++) {
		fixture_fifo(&f, FIRST + i);
		prepare_guest(&guests[i], FIRST + i, true);
		guests[i].visitor.account = &me;
	}
	on_worker(&f, call_ahead, guests);
	cr_assert_eq(guests[0].err, 0);
	cr_assert_eq(guests[1].err, -EDQUOT);
	cr_assert_eq(guests[2].err, 0);
	cr_assert(is_gone(&guests[0], 0));
	on_worker(&f, call_remove, NULL);
}

Test(broadcast, a_name_that_goes_takes_all_with_it)
{
	struct guest reads, looks;
	int fd = welcome(&reads, FIRST, true);
	char c;

	fixture_fifo(&f, FIRST + 1);
	await_guest(&looks, FIRST + 1, true);
	wait_readers(1);
	on_worker(&f, call_remove, NULL);
	cr_assert(is_gone(&reads, 0) && is_gone(&looks, 0));
	wait_for(fd, POLLHUP);
	cr_assert_eq(read(fd, &c, 1), 0);
	close(fd);
	await_guest(&looks, FIRST + 1, true);
	cr_assert_eq(looks.err, -ENOENT);
}

Test(broadcast, nothing_is_left_of_who_cannot_be_awaited)
{
	struct guest g;

	fixture_fifo(&f, FIRST);
	for (unsigned nth = 1; nth <= 2; nth++) {
		fault_open = (struct fault){ .nth = nth, .count = 1, .err = -ENFILE };
		await_guest(&g, FIRST, true);
		cr_assert_eq(g.err, -ENFILE);
		cr_assert_not(is_gone(&g, 0));
	}
	fault_open = (struct fault){ 0 };
}

/* On the worker, which hears of the opening only afterwards. */
static void call_open_and_write(void *arg)
{
	int w = fixture_open(&f, 1, O_WRONLY);

	*(int *)arg = fixture_open(&f, FIRST + 1, O_RDONLY);
	cr_assert_eq(write(w, "a both", 6), 6);
	close(w);
	channel_pump(ch);
}

Test(broadcast, has_what_is_written_after_an_opening_that_it_has_not_heard_of)
{
	struct guest first, second;
	struct pollfd late = { .events = POLLIN };
	int rd = welcome(&first, FIRST, true);
	char text[10];

	fixture_fifo(&f, FIRST + 1);
	await_guest(&second, FIRST + 1, true);
	on_worker(&f, call_open_and_write, &late.fd);
	cr_assert_eq(poll(&late, 1, 20000), 1);
	cr_assert_eq(read(late.fd, text, sizeof(text)), 6);
	while (read(late.fd, text, sizeof(text)) < 0 && errno == EAGAIN)
		poll(&late, 1, 20000);
	close(rd);
	close(late.fd);
	cr_assert(is_gone(&first, 20000) && is_gone(&second, 20000));
}
