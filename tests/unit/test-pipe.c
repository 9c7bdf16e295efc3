#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fixture.h"
#include "pipe.h"

static struct pipe p;
static int null;

static void start(void)
{
	faults_install();
	p = PIPE_NONE;
	null = open("/dev/null", O_WRONLY);
}

static void stop(void)
{
	pipe_close(&p);
	close(null);
}

TestSuite(pipe, .init = start, .fini = stop, .timeout = 60);

Test(pipe, opens_with_the_size_that_it_says)
{
	int size = pipe_open(&p, PIPE_SIZE);

	cr_assert_eq(size, PIPE_SIZE);
	cr_assert_eq(fcntl(p.rd, F_GETPIPE_SZ), size);
	for (int i = 0; i < 2; i++) {
		int fd = i ? p.wr : p.rd;

		cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
		cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
}

Test(pipe, takes_a_smaller_size_where_the_kernel_refuses_a_large_one)
{
	fault_resize = (struct fault){ .nth = 1, .count = 3, .err = -EPERM };
	cr_assert_eq(pipe_open(&p, PIPE_SIZE), PIPE_SIZE / 8);
	cr_assert_eq(fcntl(p.rd, F_GETPIPE_SZ), PIPE_SIZE / 8);
}

Test(pipe, keeps_its_size_where_the_kernel_refuses_every_other)
{
	fault_resize = (struct fault){ .nth = 1, .count = 100, .err = -EPERM };
	cr_assert_eq(pipe_open(&p, PIPE_SIZE), 65536);
	cr_assert_leq(fault_resize.seen, 5, "asked %u times", fault_resize.seen);
}

Test(pipe, grows_from_a_page_and_never_shrinks)
{
	int page = (int)sysconf(_SC_PAGESIZE);

	cr_assert_gt(pipe_open(&p, 0), 0);
	cr_assert_eq(fcntl(p.wr, F_SETPIPE_SZ, page), page);
	cr_assert_eq(pipe_grow(p.wr, 65536), 65536);
	cr_assert_eq(pipe_grow(p.wr, page), 65536);
	cr_assert_eq(pipe_grow(p.wr, 65536), 65536);
	cr_assert_eq(fault_resize.seen, 1);
}

Test(pipe, is_not_there_without_descriptors)
{
	fault_pipe = (struct fault){ .nth = 1, .count = 1, .err = -ENFILE };
	cr_assert_eq(pipe_open(&p, PIPE_SIZE), -ENFILE);
	cr_assert_eq(p.rd, -1);
	cr_assert_eq(p.wr, -1);
}

Test(pipe, drops_exactly_what_it_is_told)
{
	char buf[64] = "";

	pipe_open(&p, PIPE_SIZE);
	cr_assert_eq(write(p.wr, "0123456789", 10), 10);
	cr_assert_eq(pipe_drop(p.rd, null, 0), 0);
	cr_assert_eq(pipe_drop(p.rd, null, 4), 4);
	cr_assert_eq(read(p.rd, buf, sizeof(buf)), 6);
	cr_assert_str_eq(buf, "456789");
}

Test(pipe, drops_in_as_many_steps_as_it_takes)
{
	static char data[200000];

	pipe_open(&p, PIPE_SIZE);
	for (size_t i = 0; i < sizeof(data); i += 20000)
		cr_assert_eq(write(p.wr, data, 20000), 20000);
	cr_assert_eq(pipe_drop(p.rd, null, sizeof(data) - 1), sizeof(data) - 1);
	cr_assert_eq(read(p.rd, data, sizeof(data)), 1);
}

Test(pipe, says_so_when_there_is_less_to_drop)
{
	pipe_open(&p, PIPE_SIZE);
	cr_assert_eq(write(p.wr, "0123456789", 10), 10);
	cr_assert_eq(pipe_drop(p.rd, null, 11), 10);
	fd_close(&p.wr);
	cr_assert_eq(pipe_drop(p.rd, null, 1), 0);
}

Test(pipe, is_closed_as_often_as_one_likes)
{
	pipe_close(&p);
	pipe_open(&p, PIPE_SIZE);
	pipe_close(&p);
	cr_assert_eq(p.rd, -1);
	pipe_close(&p);
}
