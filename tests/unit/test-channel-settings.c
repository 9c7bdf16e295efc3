/* What each setting of a channel and of a tap means for the bytes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fixture.h"

#define CHUNK 65536

static struct fixture f;
static struct channel *ch;
static int wr;

static void start(void)
{
	fixture_start(&f);
	faults_install();
	ch = fixture_channel(&f, 1);
	wr = fixture_open(&f, 1, O_WRONLY);
	cr_assert_geq(wr, 0);
}

static void stop(void)
{
	if (wr >= 0)
		close(wr);
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(settings, .init = start, .fini = stop, .timeout = 60);

struct call {
	uint64_t tap;
	enum setting_key key;
	uint64_t value;
	int err;
};

static void call_get(void *arg)
{
	struct call *c = arg;

	c->err = channel_get(ch, c->tap, c->key, &c->value);
}

static int set(uint64_t tap, enum setting_key key, uint64_t value)
{
	return fixture_set(&f, ch, tap, key, value);
}

static uint64_t get(uint64_t tap, enum setting_key key)
{
	struct call c = { tap, key, 0, 0 };

	on_worker(&f, call_get, &c);
	cr_assert_eq(c.err, 0);
	return c.value;
}

static void call_tap(void *arg)
{
	struct tap *out = arg;
	const struct tap *tap = channel_find_tap(ch, out->id);

	out->lost = tap->lost;
	out->drops = tap->drops;
	out->queue.bytes = tap->queue.bytes;
}

static struct tap tap_now(uint64_t id)
{
	struct tap t = { .id = id };

	on_worker(&f, call_tap, &t);
	return t;
}

/* Writes chunk number @i, and waits until the channel has taken it. */
static void put(unsigned char i)
{
	char data[CHUNK];
	uint64_t before = fixture_bytes_in(&f, ch);

	memset(data, i, sizeof(data));
	cr_assert_eq(write(wr, data, sizeof(data)), CHUNK);
	while (fixture_bytes_in(&f, ch) < before + CHUNK)
		usleep(100);
}

/* Reads @count chunks, each of which comes: their numbers. */
static void take(int rd, unsigned char *numbers, size_t count)
{
	static char data[CHUNK];

	for (size_t n = 0; n < count; n++) {
		cr_assert_eq(read_all(rd, data, CHUNK), CHUNK, "%zu of %zu chunks", n, count);
		for (size_t i = 1; i < CHUNK; i++)
			cr_assert_eq(data[i], data[0], "a chunk was cut");
		numbers[n] = (unsigned char)data[0];
	}
}

/* The same, and no more come, but for the end of the stream. */
static void take_only(int rd, unsigned char *numbers, size_t count)
{
	struct pollfd p = { .fd = rd, .events = POLLIN };

	take(rd, numbers, count);
	cr_assert(poll(&p, 1, 100) == 0 || !(p.revents & POLLIN), "there is more than %zu chunks", count);
}

Test(settings, drop_old_keeps_the_newest)
{
	unsigned char got[100];
	struct tap tap;
	int rd;

	cr_assert_eq(set(2, SETTING_POLICY, POLICY_DROP_OLD), 0);
	cr_assert_eq(set(2, SETTING_DEPTH, 4 * CHUNK), 0);
	for (unsigned char i = 0; i < 50; i++)
		put(i);
	rd = fixture_open(&f, 2, O_RDONLY);
	take_only(rd, got, 4);
	for (unsigned char i = 0; i < 4; i++)
		cr_assert_eq(got[i], 46 + i);
	tap = tap_now(2);
	cr_assert_eq(tap.lost, 46 * CHUNK);
	cr_assert_eq(tap.drops, 46);
	close(rd);
}

Test(settings, drop_new_keeps_the_first)
{
	unsigned char got[100];
	struct tap tap;
	int rd;

	cr_assert_eq(set(2, SETTING_POLICY, POLICY_DROP_NEW), 0);
	cr_assert_eq(set(2, SETTING_DEPTH, 4 * CHUNK), 0);
	for (unsigned char i = 0; i < 50; i++)
		put(i);
	rd = fixture_open(&f, 2, O_RDONLY);
	take_only(rd, got, 4);
	for (unsigned char i = 0; i < 4; i++)
		cr_assert_eq(got[i], i);
	tap = tap_now(2);
	cr_assert_eq(tap.lost, 46 * CHUNK);
	close(rd);
}

Test(settings, a_stalled_reader_goes_on_with_recent_data_and_its_neighbour_misses_nothing)
{
	unsigned char got[100];
	int stalled, all;

	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0);
	cr_assert_eq(set(2, SETTING_POLICY, POLICY_DROP_OLD), 0);
	cr_assert_eq(set(2, SETTING_DEPTH, 2 * CHUNK), 0);
	cr_assert_eq(set(2, SETTING_SIZE, 2 * CHUNK), 0);
	stalled = fixture_open(&f, 2, O_RDONLY);
	all = fixture_open(&f, 3, O_RDONLY);
	for (unsigned char i = 0; i < 60; i++) {
		put(i);
		take(all, got, 1);
		cr_assert_eq(got[0], i);
	}
	take_only(stalled, got, 4);
	cr_assert_eq(got[0], 0, "what is in the ring is the reader's");
	cr_assert_eq(got[1], 1);
	cr_assert_eq(got[2], 58);
	cr_assert_eq(got[3], 59);
	cr_assert_eq(tap_now(3).lost, 0);
	close(stalled);
	close(all);
}

Test(settings, a_deep_tap_takes_a_stream_whole_and_gives_its_pipes_back)
{
	unsigned char got[250];
	int rd;

	cr_assert_eq(set(2, SETTING_DEPTH, 200 * CHUNK), 0);
	for (unsigned char i = 0; i < 200; i++)
		put(i);
	cr_assert_eq(tap_now(2).queue.bytes, 200 * CHUNK);
	rd = fixture_open(&f, 2, O_RDONLY);
	take_only(rd, got, 200);
	for (unsigned char i = 0; i < 200; i++)
		cr_assert_eq(got[i], i);
	cr_assert_eq(tap_now(2).queue.bytes, 0);
	close(rd);
}

Test(settings, a_new_tap_begins_with_the_replay_to_the_byte)
{
	unsigned char got[10];
	static char data[CHUNK];
	int rd = fixture_open(&f, 2, O_RDONLY), late;

	cr_assert_eq(set(0, SETTING_RECORD, 1), 0);
	cr_assert_eq(set(0, SETTING_REPLAY, 2 * CHUNK + 100), 0);
	for (unsigned char i = 0; i < 8; i++) {
		put(i);
		take(rd, got, 1);
	}
	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0);
	late = fixture_open(&f, 3, O_RDONLY);
	cr_assert_eq(read_all(late, data, 100), 100);
	cr_assert_eq(data[0], 5);
	cr_assert_eq(data[99], 5);
	take_only(late, got, 2);
	cr_assert_eq(got[0], 6);
	cr_assert_eq(got[1], 7);
	put(8);
	take_only(late, got, 1);
	cr_assert_eq(got[0], 8);
	close(rd);
	close(late);
}

Test(settings, a_tap_made_after_the_stream_begins_with_the_replay_and_sees_the_end)
{
	unsigned char got[10];
	char byte;
	int rd = fixture_open(&f, 2, O_RDONLY), late;

	cr_assert_eq(set(0, SETTING_REPLAY, CHUNK), 0);
	put(1);
	put(2);
	take(rd, got, 2);
	close(wr);
	wr = -1;
	cr_assert_eq(read_all(rd, &byte, 1), 0);
	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0);
	late = fixture_open(&f, 3, O_RDONLY);
	take_only(late, got, 1);
	cr_assert_eq(got[0], 2);
	cr_assert_eq(read_all(late, &byte, 1), 0);
	close(rd);
	close(late);
}

/* Before the worker is told that somebody has opened it. */
static void call_come_and_write(void *arg)
{
	char data[CHUNK];

	*(int *)arg = fixture_open(&f, 2, O_RDONLY);
	memset(data, 2, sizeof(data));
	cr_assert_eq(write(wr, data, sizeof(data)), CHUNK);
	channel_pump(ch);
}

Test(settings, idle_discard_keeps_what_is_written_for_who_has_just_come)
{
	unsigned char got[10];
	int rd = -1;

	cr_assert_eq(set(2, SETTING_IDLE, IDLE_DISCARD), 0);
	put(1);
	on_worker(&f, call_come_and_write, &rd);
	take_only(rd, got, 1);
	cr_assert_eq(got[0], 2);
	close(rd);
}

Test(settings, idle_discard_keeps_nothing_while_nobody_reads)
{
	unsigned char got[10];
	int rd;

	cr_assert_eq(set(2, SETTING_IDLE, IDLE_DISCARD), 0);
	put(1);
	put(2);
	rd = fixture_open(&f, 2, O_RDONLY);
	put(3);
	put(4);
	take(rd, got, 1);
	cr_assert_eq(got[0], 3);
	close(rd); /* the fourth is still in the ring */
	while (tap_now(2).lost < 3 * CHUNK)
		usleep(1000);
	rd = fixture_open(&f, 2, O_RDONLY);
	put(5);
	take_only(rd, got, 1);
	cr_assert_eq(got[0], 5);
	close(rd);
}

Test(settings, an_endless_stream_outlives_its_writers)
{
	unsigned char got[10];
	char byte;
	int rd = fixture_open(&f, 2, O_RDONLY);

	cr_assert_eq(set(0, SETTING_EOF, EOF_NEVER), 0);
	put(1);
	close(wr);
	take_only(rd, got, 1);
	cr_assert_eq(read(rd, &byte, 1), -1);
	cr_assert_eq(errno, EAGAIN, "there is no end");
	wr = fixture_open(&f, 1, O_WRONLY);
	put(2);
	take_only(rd, got, 1);
	cr_assert_eq(got[0], 2);
	close(wr);
	wr = -1;
	cr_assert_eq(set(0, SETTING_EOF, EOF_LAST_WRITER), 0);
	cr_assert_eq(read_all(rd, &byte, 1), 0);
	close(rd);
}

Test(settings, rings_are_resized_but_not_below_what_they_hold)
{
	int rd = fixture_open(&f, 2, O_RDONLY);

	cr_assert_eq(get(2, SETTING_SIZE), PIPE_SIZE);
	put(1);
	put(2);
	cr_assert_eq(set(2, SETTING_SIZE, CHUNK), -EBUSY);
	cr_assert_eq(get(2, SETTING_SIZE), PIPE_SIZE);
	cr_assert_eq(set(2, SETTING_SIZE, 2 * CHUNK), 0);
	cr_assert_eq(get(2, SETTING_SIZE), 2 * CHUNK);
	cr_assert_eq(fcntl(rd, F_GETPIPE_SZ), 2 * CHUNK);
	cr_assert_eq(set(0, SETTING_SIZE, 4096), 0);
	cr_assert_eq(fcntl(wr, F_GETPIPE_SZ), 4096);
	cr_assert_eq(get(0, SETTING_SIZE), 4096);
	close(rd);
}

Test(settings, a_size_beyond_what_the_kernel_grants_is_granted_in_part)
{
	cr_assert_eq(set(2, SETTING_SIZE, 1 << 30), 0);
	cr_assert_lt(get(2, SETTING_SIZE), 1 << 30);
	cr_assert_geq(get(2, SETTING_SIZE), PIPE_SIZE);
}

Test(settings, belong_to_a_channel_or_to_a_tap)
{
	cr_assert_eq(set(0, SETTING_DEPTH, 4096), -EINVAL);
	cr_assert_eq(set(2, SETTING_REPLAY, 4096), -EINVAL);
	cr_assert_eq(set(2, SETTING_QUOTA, 4096), -EINVAL);
	cr_assert_eq(set(9, SETTING_DEPTH, 4096), -ENOENT);
}

Test(settings, a_rate_is_not_passed)
{
	unsigned char got[100];
	struct timespec before, after;
	double seconds;
	int rd = fixture_open(&f, 2, O_RDONLY);

	cr_assert_eq(set(2, SETTING_RATE, 20 * CHUNK), 0);
	for (unsigned char i = 0; i < 16; i++)
		put(i);
	clock_gettime(CLOCK_MONOTONIC, &before);
	take(rd, got, 16);
	clock_gettime(CLOCK_MONOTONIC, &after);
	seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	cr_assert_gt(seconds, 0.5, "%f", seconds);
	close(rd);
}

/* ---- what must not stop a stream, nor lose a byte ---- */

static void call_gone(void *arg)
{
	channel_origin_gone(ch);
}

Test(settings, a_writer_held_back_goes_on_when_the_origin_has_lost_its_name)
{
	static char data[CHUNK];
	int rd = fixture_open(&f, 2, O_RDONLY);
	size_t written = 0, got;
	struct pollfd room = { .fd = wr, .events = POLLOUT };

	while (poll(&room, 1, 200) > 0) { /* ring, tap and origin are full */
		ssize_t n = write(wr, data, sizeof(data));

		written += n > 0 ? (size_t)n : 0;
	}
	on_worker(&f, call_gone, NULL);
	close(wr);
	wr = -1;
	for (size_t all = 0; all < written; all += got) {
		got = read_all(rd, data, sizeof(data));
		cr_assert_gt(got, 0, "%zu of %zu bytes came", all, written);
	}
	close(rd);
}

static void call_late_word(void *arg)
{
	struct tap *tap = channel_find_tap(ch, 2);

	tap->outlet.left.ready(&tap->outlet.left, POLLERR);
	tap->outlet.room.ready(&tap->outlet.room, POLLERR);
}

Test(settings, a_late_word_that_readers_left_is_not_believed_when_another_has_come)
{
	unsigned char got[10];
	int rd;

	cr_assert_eq(set(2, SETTING_IDLE, IDLE_DISCARD), 0);
	rd = fixture_open(&f, 2, O_RDONLY);
	put(1);
	on_worker(&f, call_late_word, NULL);
	put(2);
	take_only(rd, got, 2);
	cr_assert_eq(tap_now(2).lost, 0);
	close(rd);
}

Test(settings, drop_old_does_not_hold_its_neighbour_back_when_descriptors_run_out)
{
	unsigned char got[10];
	int rd;

	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0);
	cr_assert_eq(set(2, SETTING_POLICY, POLICY_DROP_OLD), 0);
	cr_assert_eq(set(2, SETTING_DEPTH, 1ull << 30), 0);
	rd = fixture_open(&f, 3, O_RDONLY);
	put(0);
	take(rd, got, 1);
	fault_pipe = (struct fault){ .nth = 1, .count = 1000000, .err = -EMFILE };
	for (unsigned char i = 1; i < 60; i++) {
		put(i);
		take(rd, got, 1);
		cr_assert_eq(got[0], i);
	}
	fault_pipe = (struct fault){ 0 };
	cr_assert_gt(tap_now(2).lost, 0);
	cr_assert_eq(tap_now(3).lost, 0);
	close(rd);
}

Test(settings, the_replay_does_not_hold_a_stream_back_when_descriptors_run_out)
{
	unsigned char got[10];
	int rd = fixture_open(&f, 2, O_RDONLY);

	cr_assert_eq(set(0, SETTING_REPLAY, 1ull << 30), 0);
	put(0);
	take(rd, got, 1);
	fault_pipe = (struct fault){ .nth = 1, .count = 1000000, .err = -EMFILE };
	for (unsigned char i = 1; i < 60; i++) {
		put(i);
		take(rd, got, 1);
		cr_assert_eq(got[0], i);
	}
	fault_pipe = (struct fault){ 0 };
	close(rd);
}

static void call_messages(void *arg)
{
	ch->settings.value[SETTING_PACKETS] = 1;
}

static void call_replay(void *arg)
{
	*(struct queue *)arg = ch->replay.queue;
}

Test(settings, a_replay_of_small_messages_holds_no_more_pages_than_one_of_large_ones)
{
	int rd = fixture_open(&f, 2, O_RDONLY);
	struct queue q;
	char byte = 0;

	on_worker(&f, call_messages, NULL);
	cr_assert_eq(set(0, SETTING_REPLAY, PIPE_SIZE), 0);
	cr_assert_eq(fcntl(wr, F_SETFL, O_NONBLOCK | O_DIRECT), 0);
	for (int i = 0; i < 2000; i++) {
		wait_for(wr, POLLOUT);
		cr_assert_eq(write(wr, &byte, 1), 1);
		cr_assert_eq(read_all(rd, &byte, 1), 1);
	}
	on_worker(&f, call_replay, &q);
	cr_assert_gt(q.bytes, 0);
	cr_assert_leq(q.capacity, 4 * PIPE_SIZE);
	close(rd);
}

struct add {
	uint64_t id;
	const struct limits *limits;
	int err;
};

static void call_add(void *arg)
{
	struct add *a = arg;

	a->err = channel_add_tap(ch, a->id, a->limits);
}

static int add_on_terms(uint64_t id, const struct limits *limits)
{
	struct add a = { id, limits, 0 };

	on_worker(&f, call_add, &a);
	return a.err;
}

Test(settings, what_is_refused_stays_charged_also_above_a_limit_that_was_lowered)
{
	struct account account = { .uid = 1 };
	struct limits limits = { .settings = settings_preset, .account = &account };
	uint64_t used;
	int rd;

	fixture_fifo(&f, 3);
	cr_assert_eq(add_on_terms(3, &limits), 0);
	rd = fixture_open(&f, 3, O_RDONLY);
	put(1);
	used = atomic_load(&account.of[ACCOUNT_BYTES].used);
	cr_assert_gt(used, 0);
	atomic_store(&account.of[ACCOUNT_BYTES].limit, 1);
	cr_assert_eq(set(3, SETTING_SIZE, 4096), -EBUSY);
	cr_assert_eq(atomic_load(&account.of[ACCOUNT_BYTES].used), used);
	cr_assert_eq(set(3, SETTING_DEPTH, 0), 0);
	cr_assert_lt(atomic_load(&account.of[ACCOUNT_BYTES].used), used);
	fixture_remove_tap(&f, ch, 3);
	cr_assert_eq(atomic_load(&account.of[ACCOUNT_BYTES].used), 0);
	close(rd);
}
