#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "tap.h"

#define STREAM 3000017
#define MAX_TAPS 16

static struct fixture f;
static char *data;

static void start(void)
{
	faults_install();
	data = malloc(STREAM);
	for (size_t i = 0; i < STREAM; i++)
		data[i] = (char)(i * 131 + i / 4093);
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
	free(data);
}

TestSuite(channel, .init = start, .fini = stop, .timeout = 60);

struct reader {
	pthread_t thread;
	uint64_t id;
	unsigned seed;
	size_t got;
	bool wrong;
};

static void *read_thread(void *arg)
{
	struct reader *r = arg;
	int fd = fixture_open(&f, r->id, O_RDONLY);
	char buf[70000];

	/* Before the stream begins there is no writer: a FIFO says end of file to a read then. */
	wait_for(fd, POLLIN);
	for (;;) {
		size_t want = 1 + (size_t)rand_r(&r->seed) % sizeof(buf);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, 20000) != 1)
			break;
		n = read(fd, buf, want);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			break;
		if (r->got + (size_t)n > STREAM || memcmp(buf, data + r->got, (size_t)n))
			r->wrong = true;
		r->got += (size_t)n;
	}
	close(fd);
	return NULL;
}

static void write_stream(unsigned seed, size_t max)
{
	int fd = fixture_open(&f, 1, O_WRONLY);

	fcntl(fd, F_SETFL, 0);
	for (size_t done = 0; done < STREAM;) {
		size_t n = 1 + (size_t)rand_r(&seed) % max;
		ssize_t w = write(fd, data + done, n < STREAM - done ? n : STREAM - done);

		cr_assert_gt(w, 0);
		done += (size_t)w;
	}
	close(fd);
}

static void stream_to(unsigned taps, size_t max_write)
{
	struct channel *ch = fixture_channel(&f, taps);
	struct reader readers[MAX_TAPS] = { 0 };
	unsigned seed = (unsigned)getpid();

	fprintf(stderr, "seed %u\n", seed);
	for (unsigned i = 0; i < taps; i++) {
		readers[i].id = 2 + i;
		readers[i].seed = seed + i;
		cr_assert_eq(pthread_create(&readers[i].thread, NULL, read_thread, &readers[i]), 0);
	}
	write_stream(seed, max_write);
	for (unsigned i = 0; i < taps; i++) {
		pthread_join(readers[i].thread, NULL);
		cr_expect_not(readers[i].wrong, "tap %u got other bytes", i);
		cr_expect_eq(readers[i].got, STREAM, "tap %u got %zu bytes", i, readers[i].got);
	}
	fixture_destroy(&f, ch);
}

Test(channel, one_tap_gets_everything)
{
	stream_to(1, 100000);
}

Test(channel, three_taps_get_everything)
{
	stream_to(3, 300000);
}

Test(channel, sixteen_taps_get_everything_in_small_writes)
{
	stream_to(16, 600);
}

Test(channel, loses_nothing_when_tee_and_splice_come_short)
{
	fault_tee = (struct fault){ .nth = 1, .count = 1, .err = FAULT_SHORT };
	fault_splice = (struct fault){ .nth = 10, .count = 1, .err = FAULT_SHORT };
	stream_to(2, 200000);
}

Test(channel, goes_on_after_descriptors_ran_out)
{
	fault_pipe = (struct fault){ .nth = 3, .count = 2, .err = -EMFILE };
	stream_to(3, 50000);
}

Test(channel, goes_on_after_splice_was_told_to_try_again)
{
	fault_splice = (struct fault){ .nth = 5, .count = 1, .err = -EAGAIN };
	stream_to(1, 4000);
}

/* Writes text to the origin as a writer that opens and closes. */
static void say(const char *text)
{
	int fd = fixture_open(&f, 1, O_WRONLY);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void hear(uint64_t id, const char *text)
{
	char buf[256] = "";
	int fd = fixture_open(&f, id, O_RDONLY);
	size_t n = read_all(fd, buf, sizeof(buf) - 1);

	buf[n] = '\0';
	cr_assert_str_eq(buf, text);
	close(fd);
}

Test(channel, a_later_reader_gets_the_stream_and_its_end_and_then_the_next)
{
	struct channel *ch = fixture_channel(&f, 2);

	say("one");
	hear(2, "one");
	hear(3, "one");
	say("two");
	hear(3, "two");
	hear(2, "two");
	fixture_destroy(&f, ch);
}

Test(channel, a_removed_tap_lets_the_writer_go_on)
{
	struct channel *ch = fixture_channel(&f, 1);
	int fd = fixture_open(&f, 1, O_WRONLY);
	size_t total = 0;
	ssize_t n;
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	/* Until it stays full: nobody reads the tap. */
	while (poll(&p, 1, 300) == 1) {
		n = write(fd, data, 65536);
		total += n > 0 ? (size_t)n : 0;
		cr_assert_lt(total, 64 << 20, "the tap holds nobody back");
	}
	fixture_add_tap(&f, ch, 9);
	fixture_remove_tap(&f, ch, 2);
	wait_for(fd, POLLOUT);
	close(fd);
	fixture_destroy(&f, ch);
}

static void call_gone(void *arg)
{
	channel_origin_gone(arg);
}

Test(channel, without_its_origin_every_reader_sees_the_end)
{
	struct channel *ch = fixture_channel(&f, 1);

	say("last");
	on_worker(&f, call_gone, ch);
	hear(2, "last");
	hear(2, "");
	hear(2, "");
	fixture_destroy(&f, ch);
}

/* Descriptors run out in the whole system at one of the first @places: the stream waits, and is complete. */
static void without_files(struct fault *fault, unsigned places)
{
	for (unsigned nth = 1; nth <= places; nth++) {
		struct channel *ch = fixture_channel(&f, 2);
		char name[FIFO_NAME_MAX];

		*fault = (struct fault){ .nth = nth, .count = 2, .err = -ENFILE };
		say("one");
		hear(2, "one");
		hear(3, "one");
		say("two");
		hear(2, "two");
		hear(3, "two");
		*fault = (struct fault){ 0 };
		fixture_destroy(&f, ch);
		for (uint64_t id = 1; id <= 3; id++) {
			fifo_name(name, id);
			cr_assert_eq(unlinkat(f.dir, name, 0), 0);
		}
	}
}

Test(channel, goes_on_whichever_open_is_refused)
{
	without_files(&fault_open, 7); /* both taps' reader and writer, the next stream's origin, both taps' ends */
}

Test(channel, goes_on_whichever_pipe_is_refused)
{
	without_files(&fault_pipe, 3);
}

Test(channel, rests_while_the_next_stream_cannot_be_waited_for)
{
	struct channel *ch = fixture_channel(&f, 1);
	int wr = fixture_open(&f, 1, O_WRONLY), rd = fixture_open(&f, 2, O_RDONLY);
	char buf[8];

	cr_assert_eq(write(wr, "one", 3), 3);
	wait_for(rd, POLLIN);
	fault_open = (struct fault){ .nth = 1, .count = 1000000, .err = -ENFILE };
	close(wr);
	expect_rest(&fault_open);
	fault_open = (struct fault){ 0 };
	cr_assert_eq(read_all(rd, buf, sizeof(buf)), 3);
	close(rd);
	say("two");
	hear(2, "two");
	fixture_destroy(&f, ch);
}

static void call_switches(void *arg)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", gettid());
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "voluntary_ctxt_switches: %lu", (unsigned long *)arg);
	if (file)
		fclose(file);
}

Test(channel, costs_no_wake_up_while_idle)
{
	struct channel *ch = fixture_channel(&f, 3);
	unsigned long before = 0, after = 4;

	say("something");
	hear(2, "something");
	/* Once it has come to rest. One to ask, and one to wait for being asked. */
	for (int i = 0; i < 20 && after - before > 3; i++) {
		on_worker(&f, call_switches, &before);
		poll(NULL, 0, 500);
		on_worker(&f, call_switches, &after);
	}
	cr_assert_leq(after - before, 3, "%lu wake-ups", after - before);
	fixture_destroy(&f, ch);
}

/* Ten bytes handed out to @rd, of which so many have been read. */
static void call_block(void *arg)
{
	struct channel *ch = arg;
	struct tap *tap = TAILQ_FIRST(&ch->taps);
	char text[10] = "0123456789";
	int rd = fixture_open(&f, 2, O_RDONLY);

	cr_assert_eq(outlet_hold(&tap->outlet), 0);
	tap->blocks_nsec = 1;
	cr_assert_eq(write(tap->outlet.fd, text, 10), 10);
	tap->bytes_out = 10;
	tap_note_block(tap);
	cr_expect_eq(tap->blocks_nsec, 1, "nothing was read");
	cr_assert_eq(read(rd, text, 4), 4);
	cr_assert_eq(write(tap->outlet.fd, text, 4), 4);
	tap->bytes_out = 14;
	tap_note_block(tap);
	cr_expect_gt(tap->blocks_nsec, 1, "something was");
	close(rd);
}

Test(channel, is_held_back_since_something_was_read_the_last_time)
{
	struct channel *ch = fixture_channel(&f, 1);

	on_worker(&f, call_block, ch);
	fixture_destroy(&f, ch);
}
