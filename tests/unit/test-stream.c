#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attached.h"
#include "base.h"
#include "stream.h"

#define LEN 700001

static struct fixture f;
static char *data;

/* A stream on the heap, which its end frees: nothing may touch it afterwards. */
struct run {
	struct stream stream;
	int fd, pipe;
	bool out;
};

static sem_t ends;
static int result;

static void start(void)
{
	faults_install();
	data = pattern(LEN);
	sem_init(&ends, 0, 0);
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
	free(data);
}

TestSuite(stream, .init = start, .fini = stop, .timeout = 60);

static void ended(struct stream *s, int err)
{
	result = err;
	free(container_of(s, struct run, stream));
	sem_post(&ends);
}

static void call_start(void *arg)
{
	struct run *r = arg;

	stream_init(&r->stream, f.worker->loop, ended);
	stream_start(&r->stream, r->fd, r->pipe, r->out);
}

static struct run *begin(int fd, int pipe, bool out)
{
	struct run *r = calloc(1, sizeof(*r));

	*r = (struct run){ .fd = fd, .pipe = pipe, .out = out };
	fcntl(fd, F_SETFL, O_NONBLOCK);
	on_worker(&f, call_start, r);
	return r;
}

static int wait_end(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 20;
	cr_assert_eq(sem_timedwait(&ends, &t), 0, "the stream does not end");
	return result;
}

struct feed_thread {
	int fd;
	pthread_t thread;
};

/* Writes everything, and closes. */
static void *feed(void *arg)
{
	struct feed_thread *t = arg;

	for (size_t done = 0; done < LEN;) {
		ssize_t n = write(t->fd, data + done, LEN - done);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	close(t->fd);
	return NULL;
}

static void expect_all(int fd)
{
	char *buf = malloc(LEN + 1);

	cr_assert_eq(read_all(fd, buf, LEN), LEN);
	cr_assert_eq(memcmp(buf, data, LEN), 0);
	free(buf);
}

static void close_pair(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* From a pipe into a socket and to its peer. */
static void send_all(void)
{
	struct feed_thread t;
	int sv[2], p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	cr_assert_eq(pipe(p), 0);
	begin(sv[0], p[0], true);
	t.fd = p[1];
	pthread_create(&t.thread, NULL, feed, &t);
	expect_all(sv[1]);
	pthread_join(t.thread, NULL);
	cr_assert_eq(wait_end(), 0);
	close_pair(sv);
	close(p[0]);
}

static void receive_all(void)
{
	struct feed_thread t;
	int sv[2], p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	cr_assert_eq(pipe2(p, O_NONBLOCK), 0);
	begin(sv[0], p[1], false);
	t.fd = sv[1];
	pthread_create(&t.thread, NULL, feed, &t);
	expect_all(p[0]);
	pthread_join(t.thread, NULL);
	cr_assert_eq(wait_end(), 0);
	close_pair(p);
	close(sv[0]);
}

Test(stream, loses_nothing_whichever_splice_comes_short_or_is_told_to_try_again)
{
	const int errs[] = { FAULT_SHORT, -EAGAIN };

	for (unsigned e = 0; e < 2; e++)
		for (unsigned nth = 1; nth <= 8; nth++) {
			fault_splice = (struct fault){ .nth = nth, .count = 2, .err = errs[e] };
			send_all();
			fault_splice = (struct fault){ .nth = nth, .count = 2, .err = errs[e] };
			receive_all();
		}
}

/* The worker makes no splice while nothing can move: once it has come to that, for a while. */
static void expect_quiet(void)
{
	unsigned seen = 3;

	for (int i = 0; i < 20 && seen > 2; i++) {
		unsigned before = fault_splice.seen;

		poll(NULL, 0, 200);
		seen = fault_splice.seen - before;
	}
	cr_assert_leq(seen, 2, "%u splices for nothing", seen);
}

Test(stream, rests_while_its_peer_takes_nothing)
{
	struct feed_thread t;
	int sv[2], p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	cr_assert_eq(pipe(p), 0);
	begin(sv[0], p[0], true);
	t.fd = p[1];
	pthread_create(&t.thread, NULL, feed, &t);
	expect_quiet();
	expect_all(sv[1]);
	pthread_join(t.thread, NULL);
	wait_end();
	close_pair(sv);
	close(p[0]);
}

Test(stream, rests_while_its_pipe_is_full)
{
	struct feed_thread t;
	int sv[2], p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	cr_assert_eq(pipe2(p, O_NONBLOCK), 0);
	begin(sv[0], p[1], false);
	t.fd = sv[1];
	pthread_create(&t.thread, NULL, feed, &t);
	expect_quiet();
	expect_all(p[0]);
	pthread_join(t.thread, NULL);
	wait_end();
	close_pair(p);
	close(sv[0]);
}

/* tcp_splice_read() says EAGAIN before urgent data, and poll(2) says that there is something. */
Test(stream, takes_urgent_data_as_any_other)
{
	int sv[2], p[2];
	char buf[16] = "";

	tcp_pair(sv);
	cr_assert_eq(pipe2(p, O_NONBLOCK), 0);
	cr_assert_eq(send(sv[1], "one", 3, 0), 3);
	cr_assert_eq(send(sv[1], "!", 1, MSG_OOB), 1);
	cr_assert_eq(send(sv[1], "two", 3, 0), 3);
	begin(sv[0], p[1], false);
	cr_expect_eq(read_all(p[0], buf, 7), 7);
	cr_expect_str_eq(buf, "one!two");
	expect_quiet();
	close(sv[1]);
	cr_assert_eq(wait_end(), 0);
	close(sv[0]);
	close_pair(p);
}

Test(stream, ends_when_its_peer_has_gone_while_nothing_is_sent)
{
	int sv[2], p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	cr_assert_eq(pipe(p), 0);
	begin(sv[0], p[0], true);
	close(sv[1]);
	cr_assert_eq(wait_end(), -EPIPE);
	close(sv[0]);
	close_pair(p);
}

static void call_stop(void *arg)
{
	struct run *r = arg;

	stream_stop(&r->stream);
	stream_stop(&r->stream);
	free(r);
}

static void nothing(void *arg)
{
}

Test(stream, tells_nobody_after_it_was_stopped)
{
	int sv[2], p[2], ended_times = -1;
	struct run *r;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	cr_assert_eq(pipe(p), 0);
	r = begin(sv[0], p[0], true);
	on_worker(&f, call_stop, r);
	close_pair(sv);
	close_pair(p);
	on_worker(&f, nothing, NULL);
	on_worker(&f, nothing, NULL);
	sem_getvalue(&ends, &ended_times);
	cr_assert_eq(ended_times, 0);
}
