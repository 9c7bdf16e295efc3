#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "fifo.h"
#include "fixture.h"

static struct fixture f;
static struct fifo fifo;
static struct rlimit limit;

static void start(void)
{
	faults_install();
	fixture_start(&f);
	fixture_fifo(&f, 1);
	fifo = (struct fifo){ .dir = f.dir, .id = 1 };
	getrlimit(RLIMIT_NOFILE, &limit);
}

static void stop(void)
{
	setrlimit(RLIMIT_NOFILE, &limit);
	fixture_stop(&f);
}

TestSuite(fifo, .init = start, .fini = stop, .timeout = 60);

Test(fifo, has_its_number_for_a_name)
{
	char name[FIFO_NAME_MAX];

	fifo_name(name, 0xabc);
	cr_assert_str_eq(name, "0000000000000abc");
	fifo_name(name, UINT64_MAX);
	cr_assert_str_eq(name, "ffffffffffffffff");
}

Test(fifo, opens_without_waiting_for_a_peer)
{
	_cleanup_fd_ int rd = -1;
	_cleanup_fd_ int wr = -1;

	cr_assert_eq(fifo_open(&fifo, O_WRONLY, 0), -ENXIO);
	rd = fifo_open(&fifo, O_RDONLY, 0);
	cr_assert_geq(rd, 0);
	wr = fifo_open(&fifo, O_WRONLY, 0);
	cr_assert_geq(wr, 0);
	cr_assert(fcntl(wr, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(wr, F_GETFD) & FD_CLOEXEC);
}

Test(fifo, says_what_is_wrong)
{
	struct fifo none = { .dir = f.dir, .id = 77 };

	cr_assert_eq(fifo_open(&none, O_RDONLY, 0), -ENOENT);
	cr_assert_eq(fifo_open_held(&none, 0), -ENOENT);
}

Test(fifo, never_follows_a_link)
{
	struct fifo link = { .dir = f.dir, .id = 2 };
	char name[FIFO_NAME_MAX];

	fifo_name(name, 2);
	cr_assert_eq(symlinkat("/dev/null", f.dir, name), 0);
	cr_assert_eq(fifo_open(&link, O_RDONLY, 0), -ELOOP);
	cr_assert_eq(fifo_open(&link, O_WRONLY, 1), -ELOOP);
}

Test(fifo, keeps_what_is_written_while_nobody_reads)
{
	_cleanup_fd_ int wr = fifo_open_held(&fifo, 0);
	_cleanup_fd_ int rd = -1;
	struct pollfd p = { .fd = wr };
	char buf[8] = "";

	cr_assert_geq(wr, 0);
	cr_assert_eq(poll(&p, 1, 0), 1);
	cr_assert(p.revents & POLLERR, "somebody reads");
	rd = fixture_open(&f, 1, O_RDONLY);
	cr_assert_eq(write(wr, "kept", 4), 4);
	fd_close(&rd);
	rd = fixture_open(&f, 1, O_RDONLY);
	cr_assert_eq(read(rd, buf, sizeof(buf)), 4);
	cr_assert_str_eq(buf, "kept");
}

/* The lowest free descriptor becomes the first of the reserve. */
static int begin_reserve(void)
{
	struct rlimit low = limit;
	int next = dup(f.dir);

	close(next);
	low.rlim_cur = (rlim_t)next + FIFO_FD_RESERVE;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	return next;
}

Test(fifo, leaves_the_reserve_to_streams_that_run)
{
	int next = begin_reserve();
	int fd;

	cr_assert_eq(fifo_fd_check(next), -EMFILE);
	cr_assert_eq(fifo_fd_check(next - 1), 0);
	cr_assert_eq(fifo_open(&fifo, O_RDONLY, 0), -EMFILE);
	cr_assert_eq(fifo_open_held(&fifo, 0), -EMFILE);
	fd = fifo_open(&fifo, O_RDONLY, 1);
	cr_assert_eq(fd, next, "%d, not %d: a refused open left one", fd, next);
	close(fd);
	fd = fifo_open_held(&fifo, 1);
	cr_assert_geq(fd, 0);
	close(fd);
}

Test(fifo, knows_the_limit)
{
	cr_assert_eq(fifo_fd_check(0), 0);
	cr_assert_eq(fifo_fd_check((int)limit.rlim_cur - FIFO_FD_RESERVE - 1), 0);
	cr_assert_eq(fifo_fd_check((int)limit.rlim_cur), -EMFILE);
}

Test(fifo, leaves_nothing_when_its_write_end_fails)
{
	fault_open = (struct fault){ .nth = 2, .count = 1, .err = -ENFILE };
	cr_assert_eq(fifo_open_held(&fifo, 1), -ENFILE);
}
