/*
 * A stream that breaks off while a lane is sending for it. Who reads from the same socket into a page that does not come holds
 * its lock meanwhile (tcp_recvmsg()), so what the lane has asked for stands until that page comes.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attached.h"
#include "base.h"
#include "stream.h"

#define LEN 5000
#define PAGE 4096

static struct fixture f;

struct run {
	struct stream stream;
	int sv[2], p[2];
	size_t left;
	int result;
	sem_t ended;
};

/* ---- who holds the lock ---- */

static struct holder {
	int faults, fd;
	char *page;
	pthread_t thread;
} holder;

static void *hold(void *arg)
{
	recv(holder.fd, holder.page, 1, 0);
	return NULL;
}

/* Threads of this process, and of the kernel's for it, that cannot be interrupted. */
static unsigned stuck(void)
{
	unsigned n = 0;
	glob_t tasks;

	cr_assert_eq(glob("/proc/self/task/[0-9]*/stat", 0, NULL, &tasks), 0);
	for (size_t i = 0; i < tasks.gl_pathc; i++) {
		FILE *stat = fopen(tasks.gl_pathv[i], "r");
		char state = 0;

		if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1)
			n += state == 'D';
		if (stat)
			fclose(stat);
	}
	globfree(&tasks);
	return n;
}

static void begin_holding(int fd)
{
	struct uffdio_register range = { .range.len = PAGE, .mode = UFFDIO_REGISTER_MODE_MISSING };

	holder.fd = fd;
	holder.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)holder.page;
	cr_assert_eq(ioctl(holder.faults, UFFDIO_API, &(struct uffdio_api){ .api = UFFD_API }), 0);
	cr_assert_eq(ioctl(holder.faults, UFFDIO_REGISTER, &range), 0);
	pthread_create(&holder.thread, NULL, hold, NULL);
	wait_for(holder.faults, POLLIN);
}

static void end_holding(void)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)holder.page, PAGE } };

	cr_assert_eq(ioctl(holder.faults, UFFDIO_ZEROPAGE, &zero), 0);
	pthread_join(holder.thread, NULL);
	munmap(holder.page, PAGE);
	close(holder.faults);
}

/* ---- the stream ---- */

static void ended(struct stream *s, int err)
{
	struct run *r = container_of(s, struct run, stream);

	r->result = err;
	stream_finish(s);
	sem_post(&r->ended);
}

static void left(struct stream *s, int rd, size_t bytes)
{
	container_of(s, struct run, stream)->left = bytes;
}

static void call_start(void *arg)
{
	struct run *r = arg;

	stream_init(&r->stream, f.worker->loop, ended);
	r->stream.left = left;
	cr_assert_eq(stream_use_lane(&r->stream, getuid()), 0);
	stream_start(&r->stream, r->sv[0], r->p[0], true);
}

static void call_break(void *arg)
{
	struct run *r = arg;

	if (!stream_break(&r->stream, -ECONNRESET))
		stream_end(&r->stream, -ECONNRESET);
}

static void start(struct run *r)
{
	static const char data[LEN];

	fixture_start(&f);
	holder.faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (holder.faults < 0) {
		fixture_stop(&f); /* nobody else does, then */
		cr_skip("no page can be held back here");
	}
	sem_init(&r->ended, 0, 0);
	tcp_pair(r->sv);
	cr_assert_eq(pipe2(r->p, O_NONBLOCK), 0);
	fcntl(r->sv[0], F_SETFL, O_NONBLOCK);
	cr_assert_eq(send(r->sv[1], "x", 1, 0), 1);
	wait_for(r->sv[0], POLLIN);
	on_worker(&f, call_start, r);
	begin_holding(r->sv[0]);
	cr_assert_eq(write(r->p[1], data, LEN), LEN);
	WAIT_UNTIL(stuck() == 1);
}

static void wait_end(struct run *r)
{
	while (sem_wait(&r->ended) < 0)
		;
	cr_expect_eq(r->result, -ECONNRESET);
}

static void stop(struct run *r)
{
	for (int i = 0; i < 2; i++) {
		close(r->sv[i]);
		close(r->p[i]);
	}
	fixture_stop(&f);
}

TestSuite(stream_held, .timeout = 60);

Test(stream_held, what_is_under_way_is_counted_and_the_rest_is_given_back)
{
	struct run r = { 0 };
	int ends = -1;

	start(&r);
	on_worker(&f, call_break, &r);
	sem_getvalue(&r.ended, &ends);
	cr_expect_eq(ends, 0, "it has ended before that has come back");
	end_holding();
	wait_end(&r);
	cr_expect_eq(r.stream.lost, 0, "%ju bytes are lost", (uintmax_t)r.stream.lost);
	cr_expect_eq(r.stream.bytes + r.left, LEN, "%ju and %zu", (uintmax_t)r.stream.bytes, r.left);
	stop(&r);
}

Test(stream_held, what_does_not_come_back_is_not_waited_for)
{
	struct run r = { 0 };

	start(&r);
	on_worker(&f, call_break, &r);
	wait_end(&r);
	cr_expect_eq(r.stream.lost, LEN);
	cr_expect_eq(r.left, 0);
	end_holding();
	stop(&r);
}
