/* What wakes a stream that waits, and how often. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static struct fixture f;
static struct channel *ch;
static char block[65536];

static void start(void)
{
	faults_install();
	fixture_start(&f);
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(channel_wake, .init = start, .fini = stop, .timeout = 60);

/* Writes until the channel stays full. Returns the bytes. */
static size_t fill(int wr)
{
	struct pollfd p = { .fd = wr, .events = POLLOUT };
	size_t total = 0;

	while (poll(&p, 1, 300) == 1) {
		ssize_t n = write(wr, block, sizeof(block));

		total += n > 0 ? (size_t)n : 0;
		cr_assert_lt(total, 64 << 20, "the tap holds nobody back");
	}
	return total;
}

static size_t drain(int rd)
{
	size_t total = 0;
	ssize_t n;

	while ((n = read(rd, block, sizeof(block))) > 0)
		total += (size_t)n;
	return total;
}

struct gone {
	int rd;
	size_t got;
};

/* There is room before the worker hears of it, and then the origin's name goes. */
static void call_gone(void *arg)
{
	struct gone *g = arg;

	g->got = drain(g->rd);
	channel_origin_gone(ch);
}

Test(channel_wake, room_that_is_found_as_the_origin_goes)
{
	struct gone g;
	size_t total, other;
	int wr, rd;

	ch = fixture_channel(&f, 2);
	g.rd = fixture_open(&f, 2, O_RDONLY);
	rd = fixture_open(&f, 3, O_RDONLY);
	wr = fixture_open(&f, 1, O_WRONLY);
	total = fill(wr);
	other = drain(rd);
	on_worker(&f, call_gone, &g);
	wait_for(wr, POLLOUT);
	close(wr);
	while (g.got < total || other < total) {
		struct pollfd p[] = { { .fd = g.rd, .events = POLLIN }, { .fd = rd, .events = POLLIN } };

		cr_assert_gt(poll(p, 2, 5000), 0, "it stands still");
		g.got += drain(g.rd);
		other += drain(rd);
	}
	cr_assert_eq(g.got, total);
	close(rd);
	close(g.rd);
}

Test(channel_wake, a_queue_that_could_not_be_drained_once)
{
	char buf[8];
	int wr, rd;

	ch = fixture_channel(&f, 2);
	wr = fixture_open(&f, 1, O_WRONLY);
	rd = fixture_open(&f, 3, O_RDONLY);
	cr_assert_eq(write(wr, "hello", 5), 5);
	wait_for(rd, POLLIN); /* and the other tap has it in its queue */
	close(rd);
	fault_splice = (struct fault){ .nth = 1, .count = 1, .err = -ENOMEM };
	rd = fixture_open(&f, 2, O_RDONLY);
	wait_for(rd, POLLIN);
	cr_assert_eq(read_all(rd, buf, 5), 5);
	cr_assert_geq(fault_splice.seen, 2);
	close(rd);
	close(wr);
}

Test(channel_wake, rests_while_the_origin_cannot_be_drained)
{
	int wr, rd;

	ch = fixture_channel(&f, 2);
	rd = fixture_open(&f, 2, O_RDONLY);
	wr = fixture_open(&f, 1, O_WRONLY);
	fault_splice = (struct fault){ .nth = 1, .count = 1000000, .err = -ENOMEM };
	cr_assert_eq(write(wr, "hello", 5), 5);
	expect_rest(&fault_splice);
	fault_splice = (struct fault){ 0 };
	wait_for(rd, POLLIN);
	close(rd);
	close(wr);
}
