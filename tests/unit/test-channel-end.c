/* Where a stream ends: what poll(2) tells of the writers is old, and told without the pipe's lock. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "fixture.h"

static struct fixture f;
static struct channel *ch;
static int writer;

static void start(void)
{
	fixture_start(&f);
	ch = fixture_channel(&f, 2);
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(channel_end, .init = start, .fini = stop, .timeout = 60);

static void nothing(void *arg)
{
}

static void call_streams(void *arg)
{
	*(uint64_t *)arg = ch->streams;
}

static uint64_t streams(void)
{
	uint64_t n = 0;

	on_worker(&f, call_streams, &n);
	return n;
}

static void wait_streams(uint64_t want)
{
	for (int i = 0; i < 2000 && streams() != want; i++)
		poll(NULL, 0, 10);
	cr_assert_eq(streams(), want, "%d streams, not %d", (int)streams(), (int)want);
}

static void told_of_a_hang_up(void)
{
	ch->readable.ready(&ch->readable, POLLHUP);
}

static void call_coming(void *arg)
{
	writer = fixture_open(&f, 1, O_WRONLY);
	told_of_a_hang_up();
}

Test(channel_end, a_writer_that_comes_is_none_that_has_gone)
{
	on_worker(&f, call_coming, NULL);
	cr_assert_eq(streams(), 0, "an end before the beginning");
	close(writer);
	wait_streams(1);
}

static void call_last_bytes(void *arg)
{
	cr_assert_eq(write(writer, "tail", 4), 4);
	close(writer);
	told_of_a_hang_up();
}

Test(channel_end, the_last_bytes_are_of_the_same_stream)
{
	int rd = fixture_open(&f, 2, O_RDONLY);
	char buf[16];

	writer = fixture_open(&f, 1, O_WRONLY);
	cr_assert_eq(write(writer, "head", 4), 4);
	wait_for(rd, POLLIN);
	on_worker(&f, nothing, NULL);
	on_worker(&f, call_last_bytes, NULL);
	cr_assert_eq(read_all(rd, buf, sizeof(buf)), 8);
	cr_assert_eq(memcmp(buf, "headtail", 8), 0);
	close(rd);
	wait_streams(1);
}

/* The next writer comes, and its first bytes are moved, between the hang-up's being told and being heard. */
static struct {
	struct loop_io io;
	int event;
} between;

static void next_writer(struct loop_io *io, int res)
{
	writer = fixture_open(&f, 1, O_WRONLY);
	cr_assert_eq(write(writer, "next", 4), 4);
	channel_pump(ch);
}

static void call_wait_between(void *arg)
{
	between.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	loop_io_init(&between.io, f.worker->loop, next_writer);
	loop_io_poll(&between.io, between.event, POLLIN);
}

static void call_change_of_writers(void *arg)
{
	uint64_t one = 1;

	cr_assert_eq(write(between.event, &one, sizeof(one)), sizeof(one));
	close(writer);
}

Test(channel_end, a_hang_up_told_before_the_next_writer_came_does_not_end_its_stream)
{
	writer = fixture_open(&f, 1, O_WRONLY);
	on_worker(&f, call_wait_between, NULL);
	poll(NULL, 0, 50);
	on_worker(&f, call_change_of_writers, NULL);
	poll(NULL, 0, 100);
	cr_assert_eq(streams(), 0, "a stream was cut behind its first bytes");
	close(writer);
	wait_streams(1);
	close(between.event);
}
