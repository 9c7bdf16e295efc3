/* Why a stream does not go on, in words: each state that it can stand in. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"
#include "waits.h"

static struct fixture f;
static struct channel *ch;
static char block[65536];

static void start(void)
{
	faults_install();
	fixture_start(&f);
	ch = fixture_channel(&f, 2);
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(waits, .init = start, .fini = stop, .timeout = 60);

struct asked {
	uint64_t tap; /* 0: the channel */
	struct waits waits;
};

static void call_ask(void *arg)
{
	struct asked *a = arg;

	if (a->tap)
		waits_of_tap(&a->waits, channel_find_tap(ch, a->tap));
	else
		waits_of_channel(&a->waits, ch);
}

/* Until the words begin so. Returns what is said then. */
static struct waits wait_words(uint64_t tap, const char *words)
{
	struct asked a = { .tap = tap };

	for (int i = 0; i < 500 && strncmp(a.waits.text, words, strlen(words)); i++) {
		poll(NULL, 0, i ? 10 : 0);
		on_worker(&f, call_ask, &a);
	}
	cr_assert_eq(strncmp(a.waits.text, words, strlen(words)), 0, "'%s', not '%s'", a.waits.text, words);
	return a.waits;
}

static void call_set(void *arg)
{
	cr_assert_eq(channel_set(ch, *(uint64_t *)arg, SETTING_RATE, 100000), 0);
}

static void set_rate(uint64_t tap)
{
	on_worker(&f, call_set, &tap);
}

static int write_to_it(size_t bytes)
{
	int wr = fixture_open(&f, 1, O_WRONLY);

	cr_assert_eq(write(wr, block, bytes), (ssize_t)bytes);
	return wr;
}

Test(waits, for_a_writer)
{
	int wr;

	cr_assert_eq(wait_words(0, "waiting for a writer").flow, FLOW_IDLE);
	cr_assert_eq(wait_words(2, "waiting for a writer").flow, FLOW_IDLE);
	wr = fixture_open(&f, 1, O_WRONLY);
	wait_words(0, "waiting for the writer");
	wait_words(2, "waiting for the writer");
	close(wr);
}

Test(waits, for_a_reader_and_then_for_it_to_read)
{
	int wr = write_to_it(5000), rd;

	wait_words(2, "waiting for a reader: 5000 bytes are kept");
	rd = fixture_open(&f, 2, O_RDONLY);
	wait_words(2, "waiting for the reader: it has 5000 bytes to read");
	close(rd);
	wait_words(2, "waiting for a reader: 5000 bytes are kept");
	close(wr);
	wait_words(2, "waiting for a reader: 5000 bytes and the end of the stream are kept");
	rd = fixture_open(&f, 2, O_RDONLY);
	wait_words(2, "waiting for the reader: it has the last 5000 bytes to read, and the end");
	close(rd);
	wait_words(2, "waiting for a reader: 5000 bytes and the end of the stream are kept");
}

/* The daemon looks once a second whether somebody has left without that. */
Test(waits, for_nobody_once_the_reader_has_all)
{
	int wr = write_to_it(5000), rd = fixture_open(&f, 2, O_RDONLY);
	struct asked a = { .tap = 2 };

	close(wr);
	wait_words(2, "waiting for the reader: it has the last 5000 bytes to read, and the end");
	cr_assert_eq(read(rd, block, sizeof(block)), 5000);
	on_worker(&f, call_ask, &a);
	cr_assert_str_eq(a.waits.text, "waiting for a writer");
	cr_assert_eq(a.waits.flow, FLOW_ENDED);
	close(rd);
}

Test(waits, drops_nothing_once_the_stream_is_over)
{
	int wr = fixture_open(&f, 1, O_WRONLY), rd = fixture_open(&f, 3, O_RDONLY);
	struct asked a = { .tap = 2 };

	cr_assert_eq(fixture_set(&f, ch, 2, SETTING_POLICY, POLICY_DROP_NEW), 0);
	cr_assert_eq(fixture_set(&f, ch, 2, SETTING_DEPTH, 0), 0);
	for (int i = 0; i < 2000 && a.waits.flow != FLOW_DROPS; i++) {
		cr_assert_neq(write(wr, block, sizeof(block)), 0);
		while (read(rd, block, sizeof(block)) > 0)
			;
		on_worker(&f, call_ask, &a);
	}
	cr_assert_eq(a.waits.flow, FLOW_DROPS);
	close(wr);
	cr_assert_eq(wait_words(2, "waiting for a reader: ").tap, 0);
	for (int i = 0; i < 2000 && a.waits.flow != FLOW_READER; i++) {
		poll(NULL, 0, 10);
		on_worker(&f, call_ask, &a);
	}
	cr_assert_eq(a.waits.flow, FLOW_READER);
	close(rd);
}

Test(waits, for_room)
{
	int wr = fixture_open(&f, 1, O_WRONLY), slow = fixture_open(&f, 2, O_RDONLY),
	    fast = fixture_open(&f, 3, O_RDONLY);
	struct pollfd p = { .fd = wr, .events = POLLOUT };
	uint64_t begun = clock_nsec(), since;
	struct asked full = { 0 };
	struct waits w;

	do {
		while (poll(&p, 1, 300) == 1) {
			cr_assert_neq(write(wr, block, sizeof(block)), 0);
			while (read(fast, block, sizeof(block)) > 0)
				;
		}
		on_worker(&f, call_ask, &full);
	} while (strncmp(full.waits.text, "blocked: ", 9));
	w = wait_words(2, "waiting for room: the reader has ");
	cr_assert_eq(w.tap, 2);
	w = wait_words(0, "blocked: a tap is full");
	cr_assert_eq(w.tap, 2);
	cr_assert_eq(w.flow, FLOW_BLOCKED);
	since = w.since;
	cr_assert(since > begun && since <= clock_nsec());
	w = wait_words(3, "waiting for the writer");
	cr_assert_eq(w.tap, 0);
	cr_assert_eq(w.flow, FLOW_WRITER);
	cr_assert_eq(w.since, 0);
	close(slow);
	w = wait_words(2, "waiting for a reader: ");
	cr_assert_eq(w.tap, 2);
	cr_assert_eq(w.flow, FLOW_BLOCKS);
	cr_assert_eq(w.since, since, "the same wait");
	close(fast);
	close(wr);
}

Test(waits, for_the_rate_limit)
{
	int wr, rd = fixture_open(&f, 2, O_RDONLY);

	set_rate(2);
	wr = write_to_it(65536);
	wait_words(2, "waiting for the rate limit: again in ");
	close(rd);
	close(wr);
}

Test(waits, for_the_rate_limit_of_the_channel)
{
	int wr;

	set_rate(0);
	wr = write_to_it(65536);
	wait_words(0, "waiting for the rate limit: again in ");
	close(wr);
}

Test(waits, for_descriptors)
{
	int wr, rd = fixture_open(&f, 2, O_RDONLY);

	fault_pipe = (struct fault){ .nth = 1, .count = 1000000, .err = -EMFILE };
	wr = write_to_it(5000);
	wait_words(0, "out of descriptors or memory (see the log): again within 100 ms");
	wait_words(2, "out of descriptors or memory (see the log): again within 100 ms");
	fault_pipe = (struct fault){ 0 };
	wait_for(rd, POLLIN);
	fault_open = (struct fault){ .nth = 2, .count = 1000000, .err = -EMFILE }; /* behind the next stream's origin */
	close(wr);
	wait_words(2, "out of descriptors or watches at the end of the stream: again within 100 ms");
	fault_open = (struct fault){ 0 };
	wait_words(2, "waiting for the reader: it has the last 5000 bytes to read, and the end");
	close(rd);
}

static void call_kernel_refuses(void *arg)
{
	fault_splice = (struct fault){ .nth = 1, .count = 1000000, .err = -ENOMEM };
}

Test(waits, for_a_kernel_that_refuses)
{
	int wr = write_to_it(5000), rd;

	wait_words(2, "waiting for a reader: 5000 bytes are kept");
	on_worker(&f, call_kernel_refuses, NULL);
	rd = fixture_open(&f, 2, O_RDONLY);
	wait_words(2, "the kernel refuses to move what is queued: again within 100 ms");
	fault_splice = (struct fault){ 0 };
	wait_words(2, "waiting for the reader: it has 5000 bytes to read");
	close(rd);
	close(wr);
}

static void call_lose_the_wake_up(void *arg)
{
	struct tap *tap = channel_find_tap(ch, 2);

	loop_io_cancel(&tap->outlet.room);
	loop_io_cancel(&ch->readable);
}

/* What must never be: made by hand. */
Test(waits, says_so_where_nothing_would_wake_it)
{
	int wr = fixture_open(&f, 1, O_WRONLY), rd = fixture_open(&f, 2, O_RDONLY);

	wait_words(0, "waiting for the writer");
	on_worker(&f, call_lose_the_wake_up, NULL);
	wait_words(0, WAITS_FAULT);
	close(rd);
	close(wr);
}

Test(waits, without_taps)
{
	int wr, rd;

	wr = write_to_it(100);
	wait_words(2, "waiting for a reader: 100 bytes are kept");
	fixture_remove_tap(&f, ch, 2);
	fixture_remove_tap(&f, ch, 3);
	wait_words(0, "no taps: the kernel moves the bytes");
	rd = fixture_open(&f, 1, O_RDONLY);
	close(rd);
	close(wr);
}

struct lines {
	unsigned count;
	uint64_t tap[4];
	char text[4][512];
};

static void take_line(void *data, uint64_t tap, const char *text)
{
	struct lines *l = data;

	cr_assert_lt(l->count, 4);
	l->tap[l->count] = tap;
	snprintf(l->text[l->count++], sizeof(l->text[0]), "%s", text);
}

static void call_dump(void *arg)
{
	channel_dump(ch, take_line, arg);
}

Test(waits, are_dumped_with_the_state_behind_them)
{
	struct lines l = { 0 };
	int wr = write_to_it(5000);

	wait_words(2, "waiting for a reader: 5000 bytes are kept");
	wait_words(0, "waiting for the writer");
	on_worker(&f, call_dump, &l);
	cr_assert_eq(l.count, 3);
	cr_assert_eq(l.tap[0], 0);
	cr_assert_eq(l.tap[1], 2);
	cr_assert_eq(l.tap[2], 3);
	cr_assert(strstr(l.text[0], "waiting for the writer (origin 0 of "), "%s", l.text[0]);
	cr_assert(strstr(l.text[0], "armed readable"), "%s", l.text[0]);
	cr_assert(strstr(l.text[0], "in 5000)"), "%s", l.text[0]);
	cr_assert(strstr(l.text[1], "(holding unread, ring 0 of "), "%s", l.text[1]);
	cr_assert(strstr(l.text[1], "queue 5000 of 1048576 in 1 pipes"), "%s", l.text[1]);
	close(wr);
}
