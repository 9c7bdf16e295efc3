#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attached.h"
#include "port-ops.h"

#define LEN 200000

static struct fixture f;
static struct channel *ch;
static char *data;

static void start(void)
{
	faults_install();
	data = pattern(LEN);
	fixture_start(&f);
	ch = fixture_channel(&f, 1);
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
	free(data);
}

TestSuite(port, .init = start, .fini = stop, .timeout = 60);

/* ---- what may be passed ---- */

Test(port, refuses_what_cannot_be_read_or_written)
{
	int p[2];

	cr_assert_eq(pipe2(p, O_CLOEXEC), 0);
	cr_expect_eq(attach(&f, ch, PORT_SOURCE, 1, p[1], NULL), -EBADF);
	cr_expect_eq(attach(&f, ch, PORT_SINK, 1, p[0], NULL), -EBADF);
	close(file_of(&f, "file", data, 10));
	cr_expect_eq(attach(&f, ch, PORT_SINK, 2, open_file(&f, "file", O_RDONLY), NULL), -EBADF);
	cr_expect_eq(attach(&f, ch, PORT_SOURCE, 1, open_file(&f, "file", O_WRONLY), NULL), -EBADF);
	cr_expect_eq(attach(&f, ch, PORT_SOURCE, 1, open_file(&f, "file", O_PATH), NULL), -EBADF);
	cr_expect_eq(attach(&f, ch, PORT_SINK, 2, open_file(&f, "file", O_PATH), NULL), -EBADF);
}

Test(port, refuses_what_has_no_stream)
{
	cr_expect_eq(attach(&f, ch, PORT_SOURCE, 1, open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), NULL), -EINVAL);
	cr_expect_eq(attach(&f, ch, PORT_SOURCE, 1, eventfd(0, EFD_CLOEXEC), NULL), -EINVAL);
	for (enum port_dir dir = PORT_SOURCE; dir <= PORT_SINK; dir++) {
		cr_expect_eq(attach(&f, ch, dir, 1, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), NULL), -EINVAL);
		cr_expect_eq(attach(&f, ch, dir, 1, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), NULL), -EINVAL);
	}
}

Test(port, refuses_a_tap_that_there_is_not)
{
	fixture_fifo(&f, 7);
	cr_expect_eq(attach(&f, ch, PORT_SINK, 7, open_file(&f, "out", O_WRONLY | O_CREAT), NULL), -ENOENT);
	cr_expect_eq(attach(&f, ch, PORT_SINK, 7, open_file(&f, "out", O_WRONLY | O_APPEND), NULL), -ENOENT);
}

/* Whatever of a port is refused for want of descriptors, what it has not opened it does not close. */
Test(port, leaves_descriptor_0_alone_where_there_are_too_few)
{
	const enum port_dir dirs[] = { PORT_SOURCE, PORT_SINK };
	struct rlimit before, few;
	struct stat is, was;
	int used = open("/dev/null", O_RDWR), refused = 0;

	getrlimit(RLIMIT_NOFILE, &before);
	cr_assert_eq(dup2(used, 0), 0);
	close(used);
	cr_assert_eq(fstat(0, &was), 0);
	for (int more = 0; more < 24; more++)
		for (int i = 0; i < 6; i++) {
			int sv[2] = { -1, -1 }, port, id, fd;

			if (i / 2 == 0)
				fd = open_file(&f, "some", O_RDWR | O_CREAT);
			else if (i / 2 == 1)
				fd = socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0 ? -1 : sv[0];
			else
				fd = tcp_listen(&port);
			few = before;
			few.rlim_cur = (rlim_t)used + FIFO_FD_RESERVE + (rlim_t)more;
			setrlimit(RLIMIT_NOFILE, &few);
			id = attach(&f, ch, dirs[i % 2], 1, fd, NULL);
			setrlimit(RLIMIT_NOFILE, &before);
			refused += id == -EMFILE;
			cr_assert_eq(fstat(0, &is), 0, "descriptor 0 is closed");
			cr_assert_eq(is.st_rdev, was.st_rdev);
			if (id > 0)
				detach(&f, ch, id);
			close(sv[1]);
		}
	cr_expect_gt(refused, 12);
}

Test(port, fails_at_once_with_a_socket_that_is_not_connected)
{
	int id = attach(&f, ch, PORT_SOURCE, 1, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), NULL);

	cr_assert_lt(wait_state(&f, ch, id, PORT_FAILED).err, 0);
	id = attach(&f, ch, PORT_SINK, 1, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), NULL);
	cr_assert_lt(wait_state(&f, ch, id, PORT_FAILED).err, 0);
}

static int source_of(size_t len)
{
	return attach(&f, ch, PORT_SOURCE, 1, file_of(&f, "in", data, len), NULL);
}

Test(port, writes_behind_what_a_file_for_appending_has)
{
	int id;

	close(file_of(&f, "log", "0123456789", 10));
	id = attach(&f, ch, PORT_SINK, 2, open_file(&f, "log", O_WRONLY | O_APPEND), NULL);
	source_of(5);
	wait_state(&f, ch, id, PORT_DONE);
	memmove(data + 10, data, 5);
	memcpy(data, "0123456789", 10);
	expect_file(&f, "log", data, 15);
}

/* Lines of two sinks on one file: none is in the place of another. */
Test(port, appends_without_writing_over_what_others_append)
{
	enum { LINES = 20000, LINE = 16 };
	int log, own = open_file(&f, "log", O_WRONLY | O_APPEND | O_CREAT | O_TRUNC), id;
	char line[LINE + 1];
	struct stat st;

	log = open_file(&f, "log", O_WRONLY | O_APPEND);
	id = attach(&f, ch, PORT_SINK, 2, log, NULL);
	cr_assert_gt(id, 0);
	source_of(LEN);
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "%*d\n", LINE - 1, i);
		cr_assert_eq(write(own, line, LINE), LINE);
	}
	wait_state(&f, ch, id, PORT_DONE);
	cr_assert_eq(fstat(own, &st), 0);
	cr_expect_eq(st.st_size, LEN + LINES * LINE);
	close(own);
}

Test(port, goes_on_where_a_passed_file_is)
{
	int fd = file_of(&f, "in", data, LEN);

	cr_assert_eq(lseek(fd, 1000, SEEK_SET), 1000);
	attach(&f, ch, PORT_SOURCE, 1, fd, NULL);
	expect_node(&f, 2, data + 1000, LEN - 1000);
}

Test(port, moves_from_and_to_pipes_and_memory)
{
	int in[2], out[2], mem = memfd_create("in", MFD_CLOEXEC), writer = fixture_open(&f, 1, O_RDWR), id;
	char *buf = malloc(LEN + 1);

	cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pwrite(mem, data + 5, LEN - 5, 0), LEN - 5);
	cr_assert_eq(write(in[1], data, 5), 5);
	close(in[1]);
	id = attach(&f, ch, PORT_SINK, 1, out[1], NULL);
	cr_assert_gt(attach(&f, ch, PORT_SOURCE, 1, in[0], NULL), 0);
	cr_assert_gt(attach(&f, ch, PORT_SOURCE, 1, mem, NULL), 0);
	close(writer);
	cr_assert_eq(read_all(out[0], buf, LEN + 1), LEN);
	cr_expect_eq(memcmp(buf, data, LEN), 0);
	wait_state(&f, ch, id, PORT_DONE);
	expect_node(&f, 2, data, LEN);
	close(out[0]);
	free(buf);
}

/* ---- files run out ---- */

Test(port, is_refused_whichever_pipe_there_is_not)
{
	for (unsigned nth = 1; nth <= 3; nth++) {
		fault_pipe = (struct fault){ .nth = nth, .count = 1, .err = -EMFILE };
		cr_expect_eq(attach(&f, ch, PORT_SINK, 1, file_of(&f, "out", data, 1), NULL), -EMFILE);
	}
	fault_pipe = (struct fault){ 0 };
	fault_open = (struct fault){ .nth = 1, .count = 1, .err = -EMFILE };
	cr_expect_eq(attach(&f, ch, PORT_SOURCE, 1, file_of(&f, "in", data, 1), NULL), -EMFILE);
	fault_open = (struct fault){ .nth = 1, .count = 1, .err = -EMFILE };
	cr_expect_eq(attach(&f, ch, PORT_SINK, 2, file_of(&f, "out", data, 1), NULL), -EMFILE);
}

/* ---- names that go ---- */

static void call_gone(void *arg)
{
	channel_origin_gone(arg);
}

Test(port, a_sink_on_a_tap_that_has_no_stream_ends_with_its_name)
{
	int file = attach(&f, ch, PORT_SINK, 2, open_file(&f, "out", O_WRONLY | O_CREAT), NULL), sv[2], stream;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	stream = attach(&f, ch, PORT_SINK, 2, sv[0], NULL);
	fixture_remove_tap(&f, ch, 2);
	wait_state(&f, ch, file, PORT_DONE);
	wait_state(&f, ch, stream, PORT_DONE);
	close(sv[1]);
}

Test(port, sinks_end_when_the_origin_has_gone)
{
	int tap = attach(&f, ch, PORT_SINK, 2, open_file(&f, "tap", O_WRONLY | O_CREAT), NULL);
	int origin = attach(&f, ch, PORT_SINK, 1, open_file(&f, "origin", O_WRONLY | O_CREAT), NULL);

	source_of(LEN);
	wait_state(&f, ch, tap, PORT_DONE);
	wait_state(&f, ch, origin, PORT_DONE);
	tap = attach(&f, ch, PORT_SINK, 2, open_file(&f, "tap", O_WRONLY), NULL);
	origin = attach(&f, ch, PORT_SINK, 1, open_file(&f, "origin", O_WRONLY), NULL);
	on_worker(&f, call_gone, ch);
	wait_state(&f, ch, tap, PORT_DONE);
	wait_state(&f, ch, origin, PORT_DONE);
	expect_file(&f, "tap", data, LEN);
}

/* ---- handing over ---- */

/* The sink fails in the moment after its tap is through: it has nothing to hand over. */
static void call_fail(void *arg)
{
	call_gone(ch);
	port_end(port_list_find(port_list_of(ch), (unsigned)*(int *)arg), -EIO);
}

Test(port, a_sink_that_fails_after_its_stream_hands_nothing_over)
{
	int sv[2], id, next;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	id = attach(&f, ch, PORT_SINK, 1, sv[0], NULL);
	on_worker(&f, call_fail, &id);
	next = attach(&f, ch, PORT_SINK, 1, open_file(&f, "next", O_WRONLY | O_CREAT), NULL);
	source_of(LEN);
	wait_state(&f, ch, next, PORT_DONE);
	expect_file(&f, "next", data, LEN);
	close(sv[1]);
}
