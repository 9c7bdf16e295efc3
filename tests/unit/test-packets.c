#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "feed.h"
#include "fixture.h"

static struct fixture f;
static struct channel *ch;
static struct feed *feed;
static char data[2 * PIPE_BUF];

struct set {
	bool packets;
	uint64_t origin;
	int err;
};

static void call_set(void *arg)
{
	struct set *s = arg;

	s->err = channel_set_packets(ch, s->packets, s->origin);
}

static int set(bool packets, uint64_t origin)
{
	struct set s = { .packets = packets, .origin = origin };

	on_worker(&f, call_set, &s);
	return s.err;
}

/* Opens the feed, or closes it. */
static void call_toggle(void *arg)
{
	struct feed *open = feed;

	feed = NULL;
	if (open)
		feed_destroy(open);
	else
		*(int *)arg = feed_create(&feed, ch);
}

static void toggle_feed(void)
{
	int err = 0;

	on_worker(&f, call_toggle, &err);
	cr_assert_eq(err, 0);
}

struct op {
	struct feed_op op;
	ssize_t result;
	sem_t done;
};

static void done(struct feed_op *op, ssize_t result)
{
	struct op *o = container_of(op, struct op, op);

	o->result = result;
	sem_post(&o->done);
}

static void call_submit(void *arg)
{
	feed_submit(feed, arg);
}

static ssize_t send_message(size_t len)
{
	struct op o = { .op = { .kind = FEED_WRITE, .nonblock = true, .buf = data, .len = len, .done = done } };

	sem_init(&o.done, 0, 0);
	on_worker(&f, call_submit, &o.op);
	sem_wait(&o.done);
	sem_destroy(&o.done);
	return o.result;
}

/* The length of the next message, as one read(2) gives it. */
static ssize_t next_message(int fd)
{
	char buf[sizeof(data)];

	wait_for(fd, POLLIN);
	return read(fd, buf, sizeof(buf));
}

static void start(void)
{
	fixture_start(&f);
	ch = fixture_channel(&f, 2);
	fixture_fifo(&f, 9);
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
}

TestSuite(packets, .init = start, .fini = stop, .timeout = 60);

/* What all of it stands on: link_pipe() and splice_pipe_to_pipe() of fs/splice.c. */
Test(kernel, tee_and_splice_keep_messages_apart)
{
	int a[2], b[2], c[2];
	char buf[100];

	cr_assert_eq(pipe2(a, O_DIRECT | O_NONBLOCK), 0);
	cr_assert_eq(pipe2(b, O_NONBLOCK), 0);
	cr_assert_eq(pipe2(c, O_NONBLOCK), 0);
	for (int i = 1; i <= 3; i++)
		cr_assert_eq(write(a[1], "abcd", (size_t)i), i);
	cr_assert_eq(tee(a[0], b[1], 1 << 20, SPLICE_F_NONBLOCK), 6);
	cr_assert_eq(splice(a[0], NULL, c[1], NULL, 1 << 20, SPLICE_F_NONBLOCK), 6);
	cr_assert_eq(splice(b[0], NULL, a[1], NULL, 1 << 20, SPLICE_F_NONBLOCK), 6);
	for (int i = 1; i <= 3; i++) {
		cr_assert_eq(read(a[0], buf, sizeof(buf)), i);
		cr_assert_eq(read(c[0], buf, sizeof(buf)), i);
	}
}

Test(packets, each_write_of_a_feed_is_one_read_of_every_tap)
{
	static const size_t sizes[] = { 1, 100, PIPE_BUF, 2, 3, PIPE_BUF - 1 };
	int one = fixture_open(&f, 2, O_RDONLY), two = fixture_open(&f, 3, O_RDONLY);

	cr_assert_eq(set(true, 9), 0);
	toggle_feed();
	for (size_t i = 0; i < 6; i++)
		cr_assert_eq(send_message(sizes[i]), (ssize_t)sizes[i]);
	for (size_t i = 0; i < 6; i++) {
		cr_assert_eq(next_message(one), (ssize_t)sizes[i]);
		cr_assert_eq(next_message(two), (ssize_t)sizes[i]);
	}
	toggle_feed();
	cr_assert_eq(next_message(one), 0);
	cr_assert_eq(next_message(two), 0);
	close(one);
	close(two);
}

Test(packets, what_a_full_queue_holds_are_messages)
{
	int one = fixture_open(&f, 2, O_RDONLY), two = fixture_open(&f, 3, O_RDONLY);
	int sent = 0;

	cr_assert_eq(set(true, 9), 0);
	toggle_feed();
	/* Until all is full, for a while: what is in the origin may still move on. */
	for (int waits = 0; waits < 20;) {
		ssize_t n = send_message((size_t)(sent % 1000) + 1);

		if (n == -EAGAIN) {
			waits++;
			usleep(1000);
		} else {
			cr_assert_eq(n, sent % 1000 + 1);
			sent++;
		}
	}
	for (int i = 0; i < sent; i++) {
		cr_assert_eq(next_message(one), i % 1000 + 1);
		cr_assert_eq(next_message(two), i % 1000 + 1);
	}
	toggle_feed();
	close(one);
	close(two);
}

Test(packets, a_message_longer_than_a_page_is_refused_whole)
{
	int one = fixture_open(&f, 2, O_RDONLY);

	cr_assert_eq(set(true, 9), 0);
	toggle_feed();
	cr_assert_eq(send_message(PIPE_BUF + 1), -EMSGSIZE);
	cr_assert_eq(send_message(sizeof(data)), -EMSGSIZE);
	cr_assert_eq(send_message(7), 7);
	cr_assert_eq(next_message(one), 7);
	toggle_feed();
	close(one);
}

Test(packets, the_switch_waits_for_no_writer_and_no_data)
{
	int one = fixture_open(&f, 2, O_RDONLY), two = fixture_open(&f, 3, O_RDONLY);
	int wr;

	toggle_feed();
	cr_assert_eq(set(true, 9), -EBUSY);
	toggle_feed();
	wr = fixture_open(&f, 1, O_WRONLY);
	cr_assert_eq(write(wr, "held", 4), 4);
	close(wr);
	wait_for(one, POLLIN);
	cr_assert_eq(set(true, 9), -EBUSY);
	cr_assert_eq(next_message(one), 4);
	cr_assert_eq(next_message(two), 4);
	cr_assert_eq(next_message(one), 0);
	cr_assert_eq(next_message(two), 0);
	cr_assert_eq(set(true, 9), 0);
	toggle_feed();
	cr_assert_eq(send_message(5), 5);
	cr_assert_eq(set(false, 9), -EBUSY);
	toggle_feed();
	close(one);
	close(two);
}

Test(packets, nothing_written_to_the_old_origin_comes_in)
{
	int one = fixture_open(&f, 2, O_RDONLY), old = fixture_open(&f, 1, O_RDWR);

	cr_assert_eq(set(true, 9), -EBUSY, "somebody writes");
	close(old);
	wait_for(one, POLLHUP);
	cr_assert_eq(set(true, 9), 0);
	old = fixture_open(&f, 1, O_RDWR);
	cr_assert_eq(write(old, "no message", 10), 10);
	toggle_feed();
	cr_assert_eq(send_message(3), 3);
	cr_assert_eq(next_message(one), 3);
	toggle_feed();
	cr_assert_eq(next_message(one), 0);
	close(old);
	close(one);
}

Test(packets, a_switch_that_finds_no_fifo_changes_nothing)
{
	int one = fixture_open(&f, 2, O_RDONLY), wr;

	cr_assert_eq(set(true, 77), -ENOENT);
	wr = fixture_open(&f, 1, O_WRONLY);
	cr_assert_eq(write(wr, "bytes", 5), 5);
	cr_assert_eq(next_message(one), 5);
	close(wr);
	close(one);
}
