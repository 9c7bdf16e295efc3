/*
 * Random operations on a channel and its taps against a model in memory.
 *
 * What is written is words of 8 bytes that count up, each a line. So each reader can tell what it has missed: nothing while its tap
 * never had a policy that drops, whole words else. And at any moment the engine's own counters must add up: what came
 * into a tap is with its reader, queued or lost.
 *
 * SPFS_SEED and SPFS_RUNS choose the runs; a failure prints its seed.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

#define TAPS 4
#define STEPS 60
#define WORD sizeof(uint64_t)

struct mtap {
	bool there;
	bool lossy;    /* it may have missed something since it was made */
	bool begun;    /* @next is known */
	int rd;        /* -1: nobody reads */
	uint64_t next; /* the first word that may come */
	uint64_t
		bound; /* bytes that may be queued: the largest depth it had, what it began with, two chunks (one begun) */
	uint64_t base; /* the channel's bytes when it was made, less what it began with */
};

static struct fixture f;
static struct accounts accounts;
static struct account *account;
static struct channel *ch;
static struct mtap taps[TAPS]; /* on nodes 2, 3 ... */
static uint64_t written;       /* words */
static int wr;
static unsigned seed;

static void start(void)
{
	fixture_start(&f);
	for (unsigned i = 0; i < TAPS + 1; i++)
		fixture_fifo(&f, i + 1);
	account = accounts_of(&accounts, 1);
}

static void stop(void)
{
	cr_assert_eq(atomic_load(&account->of[ACCOUNT_BYTES].used), 0, "SPFS_SEED=%u", seed);
	accounts_finish(&accounts);
	fixture_stop(&f);
}

TestSuite(model, .init = start, .fini = stop, .timeout = 110);

static uint64_t id_of(const struct mtap *t)
{
	return 2 + (uint64_t)(t - taps);
}

/* ---- on the worker ---- */

struct call {
	struct mtap *tap; /* NULL: the channel */
	enum setting_key key;
	uint64_t value;
	struct settings settings;
	int err;
};

static void call_create(void *arg)
{
	struct call *c = arg;

	c->err = channel_create(&ch, f.worker, 1, "model", &(struct limits){ c->settings, account });
}

static void call_destroy(void *arg)
{
	channel_destroy(ch);
}

static void call_add(void *arg)
{
	struct call *c = arg;
	const struct tap *tap;

	c->tap->bound = ch->replay.queue.bytes + c->settings.value[SETTING_DEPTH] + 2 * PIPE_SIZE;
	c->err = channel_add_tap(ch, id_of(c->tap), &(struct limits){ c->settings, account });
	tap = channel_find_tap(ch, id_of(c->tap));
	if (tap) /* (more may have come in at once) */
		c->tap->base = ch->bytes_in - tap->bytes_out - tap->lost - tap->queue.bytes - tap->skipped;
}

static void call_remove(void *arg)
{
	channel_remove_tap(ch, id_of(((struct call *)arg)->tap));
}

static void call_set(void *arg)
{
	struct call *c = arg;
	uint64_t got = 0;

	c->err = channel_set(ch, c->tap ? id_of(c->tap) : 0, c->key, c->value);
	if (c->err == 0 && c->key != SETTING_SIZE) {
		cr_assert_eq(channel_get(ch, c->tap ? id_of(c->tap) : 0, c->key, &got), 0);
		cr_assert_eq(got, c->value);
	}
}

static void call_check(void *arg)
{
	uint64_t promised = ch->charge.amount, record = channel_record(ch);
	const struct tap *tap;

	TAILQ_FOREACH(tap, &ch->taps, entry) {
		const struct mtap *t = &taps[tap->id - 2];

		cr_assert(t->there);
		cr_assert_eq(tap->bytes_out + tap->lost + tap->queue.bytes + tap->skipped, ch->bytes_in - t->base,
			     "SPFS_SEED=%u: tap %ju: %ju out, %ju lost, %zu queued, of %ju", seed, (uintmax_t)tap->id,
			     (uintmax_t)tap->bytes_out, (uintmax_t)tap->lost, tap->queue.bytes,
			     (uintmax_t)(ch->bytes_in - t->base));
		cr_assert_leq(tap->queue.bytes, t->bound, "SPFS_SEED=%u", seed);
		cr_assert(t->lossy || tap->lost == 0, "SPFS_SEED=%u", seed);
		promised += tap->charge.amount;
	}
	/* What is more than the size is there for the boundary. */
	cr_assert_leq(ch->replay.queue.bytes,
		      ch->replay.size + 2ul * RECORD_LINE_MAX + (record < RECORD_LINE ? 2 * record : 0),
		      "SPFS_SEED=%u: %zu bytes of %ju", seed, ch->replay.queue.bytes, (uintmax_t)ch->replay.size);
	cr_assert_eq(atomic_load(&account->of[ACCOUNT_BYTES].used), promised, "SPFS_SEED=%u", seed);
}

/* ---- operations ---- */

static uint64_t pick(uint64_t below)
{
	return (uint64_t)rand() % below;
}

static struct mtap *any_tap(void)
{
	struct mtap *t = &taps[pick(TAPS)];

	return t->there ? t : NULL;
}

static void write_words(size_t count)
{
	static char words[65536][WORD];
	ssize_t n;

	if (wr < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0, rest = written + i; k < WORD - 1; k++, rest >>= 4)
			words[i][WORD - 2 - k] = "0123456789abcdef"[rest & 15];
		words[i][WORD - 1] = '\n';
	}
	n = write(wr, words, count * WORD);
	if (n > 0) {
		cr_assert_eq(n % (ssize_t)WORD, 0);
		written += (uint64_t)n / WORD;
	}
}

/* Returns whether anything came. */
static bool read_words(struct mtap *t, size_t count)
{
	static char words[65536][WORD];
	ssize_t n = t->rd < 0 ? -1 : read(t->rd, words, count * WORD);

	if (n <= 0)
		return false;
	cr_assert_eq(n % (ssize_t)WORD, 0, "SPFS_SEED=%u: a word was cut", seed);
	for (size_t i = 0; i < (size_t)n / WORD; i++) {
		uint64_t word = strtoull(words[i], NULL, 16);

		cr_assert_eq(words[i][WORD - 1], '\n', "SPFS_SEED=%u: a word was cut", seed);
		cr_assert(!t->begun || t->lossy ? word >= t->next : word == t->next,
			  "SPFS_SEED=%u: tap %ju: word %ju where %ju was due", seed, (uintmax_t)id_of(t),
			  (uintmax_t)word, (uintmax_t)t->next);
		t->begun = true;
		t->next = word + 1;
	}
	cr_assert_leq(t->next, written);
	return true;
}

static void open_reader(struct mtap *t)
{
	if (t->rd < 0)
		t->rd = fixture_open(&f, id_of(t), O_RDONLY);
}

static void close_reader(struct mtap *t)
{
	if (t->rd >= 0)
		close(t->rd);
	t->rd = -1;
}

static void add_tap(struct mtap *t)
{
	struct call c = { .tap = t, .settings = settings_preset };

	if (t->there)
		return;
	c.settings.value[SETTING_POLICY] = pick(3);
	c.settings.value[SETTING_DEPTH] = pick(3) ? pick(1 << 21) : 0;
	*t = (struct mtap){ .there = true, .rd = -1, .lossy = c.settings.value[SETTING_POLICY] != POLICY_BLOCK };
	on_worker(&f, call_add, &c);
	cr_assert_eq(c.err, 0, "%s", strerror(-c.err));
}

static void remove_tap(struct mtap *t)
{
	on_worker(&f, call_remove, &(struct call){ .tap = t });
	close_reader(t);
	t->there = false;
}

static void set(struct mtap *t, enum setting_key key, uint64_t value)
{
	struct call c = { .tap = t, .key = key, .value = value };

	if (t && ((key == SETTING_POLICY && value != POLICY_BLOCK) || (key == SETTING_IDLE && value == IDLE_DISCARD)))
		t->lossy = true;
	if (t && key == SETTING_DEPTH && value + 2 * PIPE_SIZE > t->bound)
		t->bound = value + 2 * PIPE_SIZE;
	on_worker(&f, call_set, &c);
	cr_assert(c.err == 0 || (c.err == -EBUSY && key == SETTING_SIZE), "SPFS_SEED=%u: %s", seed, strerror(-c.err));
}

static void set_any(struct mtap *t)
{
	static const uint64_t sizes[] = { 4096, 65536, 1 << 20 };
	static const uint64_t records[] = { RECORD_WRITES, WORD, 125 * WORD, RECORD_MAX, RECORD_LINE };

	switch (pick(9)) {
	case 0:
		set(t, SETTING_POLICY, pick(3));
		break;
	case 1:
		set(t, SETTING_IDLE, pick(2));
		break;
	case 2:
		set(t, SETTING_DEPTH, pick(1 << 22));
		break;
	case 3:
		set(t, SETTING_RATE, pick(2) ? 100000000 + pick(100000000) : 0);
		break;
	case 4:
		set(t, SETTING_SIZE, sizes[pick(3)]);
		break;
	case 5:
		set(NULL, SETTING_SIZE, sizes[pick(3)]);
		break;
	case 6:
		set(NULL, SETTING_REPLAY, pick(2) ? pick(1 << 20) : 0);
		break;
	case 7:
		set(NULL, SETTING_RECORD, records[pick(5)]);
		break;
	case 8:
		set(NULL, SETTING_RATE, pick(2) ? 100000000 + pick(100000000) : 0);
		break;
	}
}

static void step(void)
{
	struct mtap *t = any_tap();

	switch (pick(10)) {
	case 0:
		add_tap(&taps[pick(TAPS)]);
		break;
	case 1:
		if (t && pick(4) == 0)
			remove_tap(t);
		break;
	case 2:
		if (t)
			set_any(t);
		break;
	case 3:
		if (t && t->rd >= 0)
			close_reader(t);
		else if (t)
			open_reader(t);
		break;
	case 4:
		if (wr >= 0 && pick(3) == 0) {
			close(wr);
			wr = -1;
		}
		break;
	case 5:
	case 6:
	case 7:
		write_words(pick(3) ? 1 + pick(512) : 1 + pick(65536));
		break;
	default:
		if (t)
			read_words(t, 1 + pick(65536));
	}
}

/* The writer is there as long as a tap is: without one its origin is a pipe that nobody reads. */
static void see_to_writer(void)
{
	bool any = false;

	for (int i = 0; i < TAPS; i++)
		any |= taps[i].there;
	if (any && wr < 0)
		wr = fixture_open(&f, 1, O_WRONLY);
	if (!any && wr >= 0) {
		close(wr);
		wr = -1;
	}
}

/* All that is to come comes, to those that can have it. */
static void drain_all(void)
{
	struct timespec deadline;
	bool more = true;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += 10;
	for (int i = 0; i < TAPS; i++)
		if (taps[i].there)
			open_reader(&taps[i]);
	while (more) {
		struct timespec now;

		more = false;
		for (int i = 0; i < TAPS; i++) {
			struct mtap *t = &taps[i];

			if (!t->there)
				continue;
			while (read_words(t, 65536))
				;
			/* A tap that drops nothing gets everything up to the last word. */
			more |= !t->lossy && t->begun && t->next < written;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		cr_assert(now.tv_sec < deadline.tv_sec, "SPFS_SEED=%u: a tap waits in vain", seed);
		if (more)
			usleep(500);
	}
}

static void run(void)
{
	struct call c = { .settings = settings_preset };

	wr = -1;
	written = 0;
	for (int i = 0; i < TAPS; i++)
		taps[i] = (struct mtap){ .rd = -1 };
	on_worker(&f, call_create, &c);
	cr_assert_eq(c.err, 0);
	for (int i = 0; i < STEPS; i++) {
		see_to_writer();
		step();
		on_worker(&f, call_check, NULL);
	}
	drain_all();
	on_worker(&f, call_check, NULL);
	if (wr >= 0)
		close(wr);
	for (int i = 0; i < TAPS; i++)
		close_reader(&taps[i]);
	on_worker(&f, call_destroy, NULL);
}

Test(model, random_operations_agree)
{
	const char *given = getenv("SPFS_SEED"), *runs = getenv("SPFS_RUNS");
	unsigned first = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

	printf("SPFS_SEED=%u\n", first);
	for (seed = first; seed < first + (runs ? (unsigned)atoi(runs) : 2000); seed++) {
		srand(seed);
		run();
	}
}
