/* Where a stream is cut: at whole writes, at records of so many bytes, at lines. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "queue.h"

#define RECORD 1000
#define TEXT (12 << 20)

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
	close(wr);
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(record, .init = start, .fini = stop, .timeout = 60);

static void set(uint64_t tap, enum setting_key key, uint64_t value)
{
	cr_assert_eq(fixture_set(&f, ch, tap, key, value), 0);
}

/* Waits until the channel has @all. */
static void wait_in(uint64_t all)
{
	while (fixture_bytes_in(&f, ch) < all)
		usleep(100);
}

static void put(const char *text, size_t len)
{
	uint64_t before = fixture_bytes_in(&f, ch);

	for (size_t done = 0; done < len;) {
		ssize_t n = write(wr, text + done, len - done);

		done += n > 0 ? (size_t)n : 0;
		wait_in(before + done);
	}
}

struct due {
	uint64_t id;
	uint64_t bytes;
};

static void call_due(void *arg)
{
	struct due *d = arg;
	const struct tap *tap = channel_find_tap(ch, d->id);

	d->bytes = tap->bytes_out + tap->queue.bytes;
}

/* What tap @id has for its reader, who has had @had bytes of it; all of it. */
static size_t take(uint64_t id, int rd, char *text, size_t had)
{
	struct due d = { .id = id };

	on_worker(&f, call_due, &d);
	cr_assert_eq(read_all(rd, text, d.bytes - had), d.bytes - had);
	return d.bytes - had;
}

static void fill(char *line, size_t len, char with)
{
	memset(line, with, len - 1);
	line[len - 1] = '\n';
}

/* Taps that are new begin with the replay, of which the first line has @len bytes and is of @with. */
static void expect_first(uint64_t id, size_t len, char with)
{
	static char got[TEXT];
	int rd;
	size_t n;

	cr_assert_eq(fixture_add_tap(&f, ch, id), 0);
	rd = fixture_open(&f, id, O_RDONLY);
	n = take(id, rd, got, 0);
	cr_assert_gt(n, 0);
	cr_assert_eq(strcspn(got, "\n") + 1, len, "%zu", strcspn(got, "\n"));
	cr_assert_eq(got[0], with);
	close(rd);
}

Test(record, a_replay_begins_with_a_whole_write_that_came_alone)
{
	char line[700];
	int rd = fixture_open(&f, 2, O_RDONLY);

	set(0, SETTING_REPLAY, 1000);
	for (char c = 'a'; c <= 'c'; c++) {
		fill(line, sizeof(line), c);
		put(line, sizeof(line));
	}
	expect_first(3, 700, 'c');
	close(rd);
}

/* Of writes that came together only pages are known apart. */
Test(record, a_replay_begins_with_a_whole_write_of_many_that_came_together)
{
	static char lines[700 * 80];
	int rd = fixture_open(&f, 2, O_RDONLY);

	set(0, SETTING_REPLAY, 1000);
	set(0, SETTING_RATE, 1);
	fill(lines, 1, 'x');
	put(lines, 1);
	for (int i = 0; i < 80; i++) {
		fill(lines, 700, 'b');
		cr_assert_eq(write(wr, lines, 700), 700);
	}
	set(0, SETTING_RATE, 0);
	wait_in(1 + 80 * 700);
	expect_first(3, 700, 'b');
	set(0, SETTING_REPLAY, 20000);
	expect_first(4, 700, 'b');
	close(rd);
}

Test(record, a_replay_smaller_than_the_last_write_has_that_one)
{
	char line[700];
	int rd = fixture_open(&f, 2, O_RDONLY);

	set(0, SETTING_REPLAY, 10);
	fill(line, sizeof(line), 'a');
	put(line, sizeof(line));
	expect_first(3, 700, 'a');
	close(rd);
}

/* ---- what is cut anywhere, and gives records ---- */

struct shape {
	uint64_t record;
	enum policy policy;
};

static size_t shape_len(const struct shape *s, unsigned i)
{
	return s->record == RECORD_LINE ? 10 + i * 37 % 3000 : s->record;
}

/* Record @i. Returns its bytes. */
static size_t shape_make(const struct shape *s, unsigned i, char *text)
{
	size_t len = shape_len(s, i);

	snprintf(text, 10, "%08u ", i);
	memset(text + 9, 'a' + i % 26, len - 9);
	text[len - 1] = '\n';
	return len;
}

static char *shape_stream(const struct shape *s, size_t bytes)
{
	char *text = malloc(bytes + RECORD_MAX);
	size_t len = 0;

	for (unsigned i = 0; len < bytes; i++)
		len += shape_make(s, i, text + len);
	return text;
}

/* Whether it is whole records that count up, but for the last; *gaps: how many are missing in between. */
static void shape_check(const struct shape *s, const char *text, size_t len, unsigned *gaps)
{
	static char record[RECORD_MAX];
	unsigned next = 0;

	*gaps = 0;
	for (size_t at = 0; at + 9 <= len;) {
		unsigned i = (unsigned)strtoul(text + at, NULL, 10);
		size_t n = shape_make(s, i, record);

		n = n < len - at ? n : len - at;
		cr_assert(!memcmp(text + at, record, n), "byte %zu of %zu: no record but '%.9s', record %u was before",
			  at, len, text + at, next);
		cr_assert_geq(i, next);
		*gaps += at ? i - next : 0;
		next = i + 1;
		at += n;
	}
}

static struct shape shapes[] = {
	{ 1000, POLICY_DROP_OLD },        { 1000, POLICY_DROP_NEW },        { 188, POLICY_DROP_OLD },
	{ 188, POLICY_DROP_NEW },         { 300000, POLICY_DROP_OLD },      { 300000, POLICY_DROP_NEW },
	{ RECORD_LINE, POLICY_DROP_OLD }, { RECORD_LINE, POLICY_DROP_NEW },
};

ParameterizedTestParameters(record, gaps_are_whole_records)
{
	return cr_make_param_array(struct shape, shapes, sizeof(shapes) / sizeof(shapes[0]));
}

/* A reader that stands still for most of it. */
ParameterizedTest(struct shape *s, record, gaps_are_whole_records)
{
	char *text = shape_stream(s, TEXT), *got = malloc(TEXT);
	size_t at = 0, have = 0;
	unsigned gaps;
	int rd;

	srand(1);
	set(0, SETTING_RECORD, s->record);
	set(2, SETTING_POLICY, s->policy);
	set(2, SETTING_SIZE, 65536);
	set(2, SETTING_DEPTH, 400000);
	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0); /* chunks go through the stage, as well as right away */
	set(3, SETTING_POLICY, POLICY_DROP_NEW);
	rd = fixture_open(&f, 2, O_RDONLY);
	while (at < TEXT) {
		size_t len = 1 + (size_t)rand() % (rand() % 2 ? 100000 : 3000);

		len = len < TEXT - at ? len : TEXT - at;
		put(text + at, len);
		at += len;
		if (at > TEXT / 2)
			fixture_remove_tap(&f, ch, 3);
		if (rand() % 60 == 0)
			have += take(2, rd, got + have, have);
	}
	have += take(2, rd, got + have, have);
	shape_check(s, got, have, &gaps);
	cr_assert_gt(gaps, 0, "nothing was lost");
	close(rd);
	free(text);
	free(got);
}

static struct shape begins[] = { { 1000, 0 }, { 188, 0 }, { 300000, 0 }, { RECORD_LINE, 0 } };

ParameterizedTestParameters(record, a_new_tap_begins_with_a_record)
{
	return cr_make_param_array(struct shape, begins, sizeof(begins) / sizeof(begins[0]));
}

ParameterizedTest(struct shape *s, record, a_new_tap_begins_with_a_record)
{
	static const uint64_t replays[] = { 0, 1, 5000, 400001, 2000000 };
	char *text = shape_stream(s, TEXT), *got = malloc(TEXT);
	int rd = fixture_open(&f, 2, O_RDONLY);
	size_t at = 0, had = 0;

	srand(2);
	set(0, SETTING_RECORD, s->record);
	for (uint64_t id = 3; id < 23; id++) {
		uint64_t replay = replays[id % 5];
		size_t end = at + 500000 > TEXT - 400000 ? at : at + (size_t)rand() % 500000, have;
		unsigned gaps;
		int late;

		set(0, SETTING_REPLAY, replay);
		while (at < end) {
			size_t len = 1 + (size_t)rand() % 100000;

			len = len < end - at ? len : end - at;
			put(text + at, len);
			at += len;
			had += take(2, rd, got, had);
		}
		cr_assert_eq(fixture_add_tap(&f, ch, id), 0);
		late = fixture_open(&f, id, O_RDONLY);
		have = take(id, late, got, 0);
		cr_assert_leq(have, replay);
		if (have)
			shape_check(s, got, have, &gaps);
		if (at < TEXT - 310000) {
			put(text + at, 310000);
			at += 310000;
			have += take(id, late, got + have, have);
			cr_assert_gt(have, 0);
		}
		shape_check(s, got, have, &gaps);
		cr_assert_eq(gaps, 0);
		close(late);
		fixture_remove_tap(&f, ch, id);
		had += take(2, rd, got, had);
	}
	close(rd);
	free(text);
	free(got);
}

Test(record, a_tap_begins_with_the_next_line_also_where_none_has_been_seen)
{
	char got[100];
	int rd = fixture_open(&f, 2, O_RDONLY), late;
	size_t n;

	set(0, SETTING_RECORD, RECORD_LINE);
	put("one\n", 4);
	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0);
	late = fixture_open(&f, 3, O_RDONLY);
	put("two\n", 4);
	n = take(3, late, got, 0);
	cr_assert(n == 4 && !memcmp(got, "two\n", 4), "%.*s", (int)n, got);
	close(late);
	put("thr", 3);
	cr_assert_eq(fixture_add_tap(&f, ch, 4), 0);
	late = fixture_open(&f, 4, O_RDONLY);
	put("ee\nfour\n", 8);
	n = take(4, late, got, 0);
	cr_assert(n == 5 && !memcmp(got, "four\n", 5), "%.*s", (int)n, got);
	close(late);
	close(rd);
}

static void call_lost(void *arg)
{
	*(uint64_t *)arg = channel_find_tap(ch, 2)->lost;
}

Test(record, what_nobody_reads_goes_up_to_a_boundary)
{
	char got[1000];
	uint64_t lost;
	int rd;

	set(0, SETTING_RECORD, 100);
	set(2, SETTING_IDLE, IDLE_DISCARD);
	rd = fixture_open(&f, 2, O_RDONLY);
	put("begun", 5);
	cr_assert_eq(read_all(rd, got, 5), 5);
	close(rd);
	memset(got, 'x', sizeof(got));
	put(got, 245);
	do {
		on_worker(&f, call_lost, &lost);
	} while (lost < 245);
	rd = fixture_open(&f, 2, O_RDONLY);
	memset(got, 0x79, 50);
	memset(got + 50, 0x6e, 99);
	put(got, 149);
	cr_assert_eq(read_all(rd, got, 99), 99);
	cr_assert_eq(got[0], 'n');
	close(rd);
}

Test(record, a_stream_without_lines_is_cut_all_the_same)
{
	static char text[500000], got[500000];
	int rd = fixture_open(&f, 2, O_RDONLY), late;

	memset(text, 'x', sizeof(text));
	set(0, SETTING_RECORD, RECORD_LINE);
	put(text, 100);
	cr_assert_eq(read_all(rd, got, 100), 100);
	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0);
	late = fixture_open(&f, 3, O_RDONLY);
	for (int i = 0; i < 40; i++) {
		put(text, 10000);
		cr_assert_eq(read_all(rd, got, 10000), 10000);
	}
	cr_assert_gt(take(3, late, got, 0), 200000);
	close(late);
	close(rd);
}

/* ---- what it costs ---- */

static unsigned calls(void)
{
	return fault_splice.seen + fault_tee.seen + fault_read.seen + fault_write.seen + fault_pipe.seen;
}

static unsigned flow(int rd, uint64_t record)
{
	static char text[65536], got[65536];
	unsigned before;

	memset(text, 'x', sizeof(text));
	set(0, SETTING_RECORD, record);
	before = calls();
	for (int i = 0; i < 50; i++) {
		put(text, sizeof(text));
		cr_assert_eq(read_all(rd, got, sizeof(got)), sizeof(got));
		put(text, 100);
		cr_assert_eq(read_all(rd, got, 100), 100);
	}
	return calls() - before;
}

Test(record, boundaries_cost_nothing_while_data_flows)
{
	int rd = fixture_open(&f, 2, O_RDONLY);
	unsigned none;

	flow(rd, RECORD_WRITES);
	none = flow(rd, RECORD_WRITES);
	cr_assert_leq(flow(rd, 188), none + 4);
	cr_assert_leq(flow(rd, RECORD_LINE), none + 4);
	close(rd);
}

/* ---- one function says where ---- */

static struct chunk in_memory(const char *text)
{
	return (struct chunk){ .stage = -1, .mem = text, .len = strlen(text) };
}

Test(record, the_next_boundary_is_told)
{
	struct chunk text = in_memory("ab\ncd\n");

	cr_assert_eq(record_next(RECORD_WRITES, 0, &text), 0);
	cr_assert_eq(record_next(4, record_past(4, 8), &text), 0);
	cr_assert_eq(record_next(4, record_past(4, 9), &text), 3);
	cr_assert_eq(record_next(8, record_past(8, 1), &text), -ENOENT);
	cr_assert_eq(record_next(8, record_past(8, 2), &text), 6);
	cr_assert_eq(record_next(RECORD_LINE, record_past(RECORD_LINE, 0), &text), 0);
	cr_assert_eq(record_next(RECORD_LINE, record_past(RECORD_LINE, 9), &text), 3);
	text = in_memory("abc");
	cr_assert_eq(record_next(RECORD_LINE, 1, &text), -ENOENT);
}
