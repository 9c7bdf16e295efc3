/* What a tap begins with: the first bytes of the stream, once, whatever the replay has of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "tap.h"

#define TEXT (8 << 20)

static struct fixture f;
static struct channel *ch;
static int wr, old;
static uint64_t old_id;
static char text[TEXT], got[TEXT];
static size_t at, had;

static void start(void)
{
	fixture_start(&f);
	faults_install();
	srand(1);
	for (size_t i = 0; i < TEXT; i++)
		text[i] = (char)rand();
	ch = fixture_channel(&f, 1);
	old_id = 2;
	old = fixture_open(&f, old_id, O_RDONLY);
	wr = fixture_open(&f, 1, O_WRONLY);
	at = had = 0;
}

static void stop(void)
{
	close(wr);
	close(old);
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(prologue, .init = start, .fini = stop, .timeout = 60);

static void set(uint64_t tap, enum setting_key key, uint64_t value)
{
	cr_assert_eq(fixture_set(&f, ch, tap, key, value), 0);
}

/* The next @len bytes of the text, which the taps have then. */
static void put(size_t len)
{
	uint64_t begin = fixture_bytes_in(&f, ch);
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(wr, text + at + done, len - done);

		done += n > 0 ? (size_t)n : 0;
		while (fixture_bytes_in(&f, ch) < begin + done)
			usleep(100);
	}
	at += len;
}

struct due {
	uint64_t id, bytes;
};

static void call_due(void *arg)
{
	struct due *d = arg;
	const struct tap *tap = channel_find_tap(ch, d->id);

	d->bytes = tap->bytes_out + tap->queue.bytes;
}

/* All that tap @id has for its reader, who has had @before bytes of it. */
static size_t take(uint64_t id, int rd, char *to, size_t before)
{
	struct due d = { .id = id };

	on_worker(&f, call_due, &d);
	cr_assert_eq(read_all(rd, to, d.bytes - before), d.bytes - before);
	return d.bytes - before;
}

/* The old tap, which began with the stream, has all of it, and nothing else. */
static void take_old(void)
{
	size_t n = take(old_id, old, got, had);

	cr_assert_eq(memcmp(got, text + had, n), 0, "the first tap got something else");
	had += n;
}

/* @have bytes: the first ones, up to @first, and then the last ones. */
static void expect(size_t first, size_t have)
{
	if (have >= at) {
		cr_assert_eq(have, at, "%zu bytes of %zu", have, at);
		cr_assert_eq(memcmp(got, text, at), 0, "it is not the whole stream");
		return;
	}
	cr_assert_gt(have, first, "%zu bytes, with the first %zu", have, first);
	cr_assert_eq(memcmp(got, text, first), 0, "it does not begin with the first %zu", first);
	cr_assert_eq(memcmp(got + first, text + at - (have - first), have - first), 0,
		     "%zu do not follow the first %zu", have - first, first);
}

Test(prologue, a_new_tap_has_the_beginning_once)
{
	static const uint64_t firsts[] = { 1, 24, 4096, 5000, 65536 }, replays[] = { 0, 100, 60000, 70000, 2000000 };

	for (uint64_t id = 3; id < 60; id++) {
		size_t first = firsts[(size_t)rand() % 5], have;
		int late;

		close(wr); /* a stream of its own */
		wait_for(old, POLLHUP);
		take_old();
		set(0, SETTING_PROLOGUE, first);
		set(0, SETTING_REPLAY, replays[(size_t)rand() % 5]);
		set(0, SETTING_RECORD, (uint64_t)(rand() % 2));
		close(old);
		fixture_remove_tap(&f, ch, old_id);
		old_id = 100 + id;
		cr_assert_eq(fixture_add_tap(&f, ch, old_id), 0);
		old = fixture_open(&f, old_id, O_RDONLY);
		wr = fixture_open(&f, 1, O_WRONLY);
		at = had = 0;
		for (int i = rand() % 4; i >= 0; i--) {
			put(1 + (size_t)rand() % (rand() % 2 ? 300000 : 3000));
			take_old();
		}
		cr_assert_eq(fixture_add_tap(&f, ch, id), 0);
		if (rand() % 2) {
			put(1 + (size_t)rand() % 3000);
			take_old();
		}
		late = fixture_open(&f, id, O_RDONLY);
		put(1 + (size_t)rand() % 3000);
		take_old();
		have = take(id, late, got, 0);
		expect(first, have);
		put(1000);
		have += take(id, late, got + have, have);
		expect(first, have);
		close(late);
		fixture_remove_tap(&f, ch, id);
		take_old();
	}
}

struct given {
	const char *bytes;
	size_t len;
	int err;
};

static void call_give(void *arg)
{
	struct given *g = arg;

	g->err = channel_set_prologue(ch, g->bytes, g->len);
}

static int give(const char *bytes, size_t len)
{
	struct given g = { bytes, len, 0 };

	on_worker(&f, call_give, &g);
	return g.err;
}

/* A pipe for it cannot be had: a reader who would hold the writer back does so meanwhile, and nobody gets less. */
Test(prologue, is_not_left_out_where_there_is_no_descriptor)
{
	for (uint64_t id = 3; id < 5; id++) {
		size_t have;
		int late;

		cr_assert_eq(give("HEAD", 4), 0);
		put(1000);
		take_old();
		cr_assert_eq(fixture_add_tap(&f, ch, id), 0);
		set(id, SETTING_POLICY, id == 3 ? POLICY_BLOCK : POLICY_DROP_OLD);
		put(1000);
		fault_pipe = (struct fault){ .nth = 1, .count = 1000, .err = -EMFILE };
		late = fixture_open(&f, id, O_RDONLY);
		cr_assert_eq(poll(&(struct pollfd){ .fd = late, .events = POLLIN }, 1, 300), 0, "without the prologue");
		expect_rest(&fault_pipe);
		if (id == 4) { /* who drops holds nobody back */
			put(1000);
			take_old();
		}
		fault_pipe = (struct fault){ 0 };
		wait_for(late, POLLIN);
		put(1000);
		take_old();
		have = take(id, late, got, 0);
		cr_assert(id == 4 || have == 2004, "%zu bytes", have);
		cr_assert_eq(memcmp(got, "HEAD", 4), 0);
		cr_assert_eq(memcmp(got + have - 1000, text + at - 1000, 1000), 0);
		close(late);
		fixture_remove_tap(&f, ch, id);
	}
}

Test(prologue, of_a_stream_that_cannot_be_kept_is_none)
{
	int late;

	set(0, SETTING_PROLOGUE, 4096);
	fault_tee = (struct fault){ .nth = 1, .count = 1, .err = -ENOMEM };
	put(8192);
	fault_tee = (struct fault){ 0 };
	take_old();
	cr_assert_eq(fixture_add_tap(&f, ch, 3), 0);
	late = fixture_open(&f, 3, O_RDONLY);
	put(100);
	cr_assert_eq(take(3, late, got, 0), 100);
	cr_assert_eq(memcmp(got, text + 8192, 100), 0);
	close(late);
}
