/* Sources that copy (spfs.stable): what changes after it was read does not show. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attached.h"

#define MIB (1 << 20)
#define LEN (6 * MIB + 12345)
#define SOME 65536 /* what the smallest pipe on the way takes at once */

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

TestSuite(stable, .init = start, .fini = stop, .timeout = 60);

static void call_stable(void *arg)
{
	cr_assert_eq(channel_set(ch, 0, SETTING_STABLE, *(const uint64_t *)arg), 0);
}

static void set_stable(uint64_t value)
{
	on_worker(&f, call_stable, &value);
}

/* Other bytes in the place of all of the file's. */
static void change(int fd, size_t len)
{
	char *other = malloc(len);

	memset(other, '!', len);
	cr_assert_eq(pwrite(fd, other, len, 0), (ssize_t)len);
	free(other);
}

/* What the tap gives is what was in the file when it was read, or what came into it since. */
static void expect_before_or_after(bool before, size_t len)
{
	char *other = malloc(len);

	memset(other, '!', len);
	expect_node(&f, 2, before ? data : other, len);
	free(other);
}

static void expect_copied(struct look l)
{
	cr_expect_str_eq(l.how, "copy");
	cr_expect_gt(l.copies, 0);
	cr_expect_eq(l.pages_ref, 0);
}

static void expect_referred(struct look l)
{
	cr_expect_str_eq(l.how, "splice");
	cr_expect_eq(l.copies, 0);
	cr_expect_gt(l.pages_ref, 0);
}

static void change_a_file(bool stable)
{
	int fd = file_of(&f, "in", data, SOME), id;
	struct look l;

	set_stable(stable);
	id = attach(&f, ch, PORT_SOURCE, 1, dup(fd), NULL);
	l = wait_state(&f, ch, id, PORT_DONE);
	change(fd, SOME);
	close(fd);
	expect_before_or_after(stable, SOME);
	if (stable)
		expect_copied(l);
	else
		expect_referred(l);
}

Test(stable, without_it_a_change_of_a_file_shows_in_what_waits)
{
	change_a_file(false);
}

Test(stable, a_change_of_a_file_does_not_show)
{
	change_a_file(true);
}

/* ---- files ---- */

Test(stable, a_source_ends_exactly_with_its_file)
{
	const size_t sizes[] = { 0, 1, 4095, 4097, MIB - 1, MIB, MIB + 1, 2 * MIB, LEN };

	set_stable(1);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int id = source_file(&f, ch, data, "in", sizes[i], NULL);

		expect_node(&f, 2, data, sizes[i]);
		cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, sizes[i]);
	}
}

Test(stable, a_source_takes_the_part_that_was_asked_for)
{
	int id;

	set_stable(1);
	id = source_file(&f, ch, data, "in", LEN, "file:/in?offset=5&length=3M");
	expect_node(&f, 2, data + 5, 3 * MIB);
	cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, 3 * MIB);
}

Test(stable, a_file_that_is_shorter_than_asked_for_is_told)
{
	int id;

	set_stable(1);
	id = source_file(&f, ch, data, "in", 5, "file:/in?length=100");
	expect_node(&f, 2, data, 5);
	cr_assert_eq(wait_state(&f, ch, id, PORT_FAILED).err, -ENODATA);
}

Test(stable, loses_nothing_whichever_write_comes_short_or_is_told_to_try_again)
{
	const int errs[] = { FAULT_SHORT, -EAGAIN };

	set_stable(1);
	for (unsigned i = 0; i < 10; i++) {
		fault_write = (struct fault){ .nth = 1 + i / 2, .count = 2, .err = errs[i % 2] };
		source_file(&f, ch, data, "in", 3 * MIB, NULL);
		expect_node(&f, 2, data, 3 * MIB);
	}
}

Test(stable, a_failing_write_ends_a_source_after_what_went_before)
{
	int id;

	set_stable(1);
	fault_write = (struct fault){ .nth = 2, .count = 1, .err = -EIO };
	id = source_file(&f, ch, data, "in", 3 * MIB, NULL);
	expect_node(&f, 2, data, MIB);
	cr_assert_eq(wait_state(&f, ch, id, PORT_FAILED).err, -EIO);
}

Test(stable, a_failing_read_ends_a_source_with_its_error)
{
	int id;

	set_stable(1);
	id = attach(&f, ch, PORT_SOURCE, 1, open("/proc/self/mem", O_RDONLY | O_CLOEXEC), NULL); /* nothing is at 0 */
	cr_assert_eq(wait_state(&f, ch, id, PORT_FAILED).err, -EIO);
}

Test(stable, can_be_switched_while_data_flows)
{
	char *buf = malloc(LEN + 1);
	size_t n = 0;
	struct look l;
	int id, fd;

	set_stable(1);
	id = source_file(&f, ch, data, "in", LEN, NULL);
	fd = fixture_open(&f, 2, O_RDONLY);
	WAIT_UNTIL(look_at(&f, ch, id).copies > 0);
	for (uint64_t i = 0; n < LEN; i++) {
		size_t before = n;

		/* There is more in the file than has room on the way: until then it stays as it is. */
		set_stable(i % 2 && look_at(&f, ch, id).pages_ref > 0);
		n += read_all(fd, buf + n, LEN - n < 300000 ? LEN - n : 300000);
		cr_assert_gt(n, before);
	}
	cr_assert_eq(memcmp(buf, data, LEN), 0);
	l = wait_state(&f, ch, id, PORT_DONE);
	cr_expect_gt(l.pages_ref, 0);
	close(fd);
	free(buf);
}

/* The same look twice: nothing moves any more. */
static struct look wait_full(int id)
{
	struct look l, before;

	do {
		before = look_at(&f, ch, id);
		poll(NULL, 0, 20);
		l = look_at(&f, ch, id);
	} while (!l.bytes || l.bytes != before.bytes);
	return l;
}

Test(stable, what_a_detached_source_has_given_is_all_there)
{
	uint64_t bytes;
	int id;

	set_stable(1);
	id = source_file(&f, ch, data, "in", LEN, NULL);
	bytes = wait_full(id).bytes;
	cr_assert_lt(bytes, LEN);
	cr_assert_eq(detach(&f, ch, id), 0);
	expect_node(&f, 2, data, bytes);
}

/* The kernel has the buffer for as long as the device makes it wait. */
Test(stable, a_source_can_be_detached_or_lost_while_it_waits_for_its_device)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, id;

	cr_assert_eq(grantpt(master), 0);
	cr_assert_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	set_stable(1);
	id = attach(&f, ch, PORT_SOURCE, 1, dup(slave), NULL);
	cr_assert_eq(write(master, "a line\n", 7), 7);
	WAIT_UNTIL(look_at(&f, ch, id).bytes == 7);
	expect_copied(look_at(&f, ch, id));
	cr_assert_eq(detach(&f, ch, id), 0);
	expect_node(&f, 2, "a line\n", 7);

	attach(&f, ch, PORT_SOURCE, 1, slave, NULL);
	fixture_destroy(&f, ch);
	cr_assert_eq(write(master, "a line\n", 7), 7);
	poll(NULL, 0, 20);
	close(master);
	unlinkat(f.dir, "0000000000000001", 0);
	ch = fixture_channel(&f, 0);
}

/* ---- pipes and sockets ---- */

/* The pages of a file in a pipe, and the file. */
static int splice_file(int pipe[2])
{
	int fd = file_of(&f, "in", data, SOME);
	off_t at = 0;

	cr_assert_eq(pipe2(pipe, O_CLOEXEC), 0);
	cr_assert_eq(splice(fd, &at, pipe[1], NULL, SOME, 0), SOME);
	return fd;
}

static void change_in_a_pipe(bool stable)
{
	int p[2], fd = splice_file(p), id;
	struct look l;

	set_stable(stable);
	id = attach(&f, ch, PORT_SOURCE, 1, p[0], NULL);
	close(p[1]);
	l = wait_state(&f, ch, id, PORT_DONE);
	change(fd, SOME);
	close(fd);
	expect_before_or_after(stable, SOME);
	if (stable)
		expect_copied(l);
	else
		expect_referred(l);
}

Test(stable, without_it_a_change_of_a_file_that_somebody_has_spliced_into_a_pipe_shows)
{
	change_in_a_pipe(false);
}

Test(stable, a_change_of_a_file_that_somebody_has_spliced_into_a_pipe_does_not_show)
{
	change_in_a_pipe(true);
}

/* On the loopback, sendfile(2) hands the file's pages over. */
static void change_what_is_sent(int fds[2], bool stable)
{
	int fd = file_of(&f, "in", data, SOME), id;
	off_t at = 0;

	set_stable(stable);
	id = attach(&f, ch, PORT_SOURCE, 1, fds[0], NULL);
	for (size_t left = SOME; left;) {
		ssize_t n = sendfile(fds[1], fd, &at, left);

		cr_assert_gt(n, 0);
		left -= (size_t)n;
	}
	close(fds[1]);
	wait_state(&f, ch, id, PORT_DONE);
	change(fd, SOME);
	close(fd);
	expect_before_or_after(stable, SOME);
	if (stable)
		expect_copied(look_at(&f, ch, id));
}

static void unix_pair(int fds[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

Test(stable, without_it_a_change_of_a_file_that_somebody_sends_shows)
{
	int fds[2];

	tcp_pair(fds);
	change_what_is_sent(fds, false);
	unix_pair(fds);
	change_what_is_sent(fds, false);
}

Test(stable, a_change_of_a_file_that_somebody_sends_does_not_show)
{
	int fds[2];

	tcp_pair(fds);
	change_what_is_sent(fds, true);
	unix_pair(fds);
	change_what_is_sent(fds, true);
}

Test(stable, a_listening_source_copies_what_its_clients_send)
{
	int port, id, fd;

	set_stable(1);
	id = attach_listener(&f, ch, PORT_SOURCE, 1, "", &port);
	fd = tcp_connect(port);
	cr_assert_eq(write(fd, data, 1000), 1000);
	close(fd);
	expect_node(&f, 2, data, 1000);
	wait_clients(&f, ch, id, 0);
	expect_copied(look_at(&f, ch, id));
}

struct sender {
	int fd;
	pthread_t thread;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (size_t done = 0; done < LEN;) {
		ssize_t n = write(s->fd, data + done, LEN - done);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	close(s->fd);
	return NULL;
}

static void receive_everything(void)
{
	struct sender s;
	int fds[2], id;

	unix_pair(fds);
	id = attach(&f, ch, PORT_SOURCE, 1, fds[0], NULL);
	s.fd = fds[1];
	pthread_create(&s.thread, NULL, send_all, &s);
	expect_node(&f, 2, data, LEN);
	pthread_join(s.thread, NULL);
	cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, LEN);
}

Test(stable, a_stream_loses_nothing_whichever_call_comes_short_or_is_told_to_try_again)
{
	const int errs[] = { FAULT_SHORT, -EAGAIN };

	set_stable(1);
	for (unsigned i = 0; i < 6; i++) {
		fault_write = (struct fault){ .nth = 1 + i / 2, .count = 2, .err = errs[i % 2] };
		fault_splice = (struct fault){ .nth = 1 + i, .count = 2, .err = errs[i % 2] };
		receive_everything();
	}
}

Test(stable, a_stream_can_be_switched_while_data_flows)
{
	struct sender s;
	int fds[2], id, fd = fixture_open(&f, 2, O_RDONLY);
	char *buf = malloc(LEN + 1);
	size_t n = 0;

	unix_pair(fds);
	id = attach(&f, ch, PORT_SOURCE, 1, fds[0], NULL);
	s.fd = fds[1];
	pthread_create(&s.thread, NULL, send_all, &s);
	for (uint64_t i = 1; n < LEN; i++) {
		set_stable(i % 2);
		n += read_all(fd, buf + n, LEN - n < 300000 ? LEN - n : 300000);
	}
	pthread_join(s.thread, NULL);
	cr_assert_eq(memcmp(buf, data, LEN), 0);
	wait_state(&f, ch, id, PORT_DONE);
	close(fd);
	free(buf);
}

Test(stable, a_stream_without_descriptors_or_with_a_failing_call_fails_cleanly)
{
	struct fault *const faults[] = { &fault_pipe, &fault_read, &fault_write };

	for (unsigned i = 0; i < 3; i++) {
		const int err = i == 0 ? -EMFILE : -EIO;
		int p[2], id, fd = fixture_open(&f, 2, O_RDONLY);
		char c;

		set_stable(0);
		cr_assert_eq(pipe2(p, O_CLOEXEC), 0);
		id = attach(&f, ch, PORT_SOURCE, 1, p[0], NULL);
		cr_assert_eq(write(p[1], "x", 1), 1);
		cr_assert_eq(read_all(fd, &c, 1), 1); /* so that the channel makes none of the calls any more */
		set_stable(1);
		*faults[i] = (struct fault){ .nth = 1, .count = 1, .err = err };
		cr_assert_eq(write(p[1], "yz", 2), 2);
		cr_assert_eq(wait_state(&f, ch, id, PORT_FAILED).err, err, "%u", i);
		*faults[i] = (struct fault){ 0 };
		close(p[1]);
		cr_assert_eq(read_all(fd, &c, 1), 0);
		close(fd);
	}
}

/* What the source has taken out of the pipe is in the channel, the rest is in the pipe: nothing is in between. */
Test(stable, a_detached_stream_hands_on_what_it_has_copied)
{
	char *buf = malloc(LEN);
	struct sender s;
	int p[2], rd, id, fd = fixture_open(&f, 1, O_WRONLY);
	size_t n;

	set_stable(1);
	cr_assert_eq(pipe2(p, O_CLOEXEC), 0);
	rd = dup(p[0]);
	id = attach(&f, ch, PORT_SOURCE, 1, p[0], NULL);
	s.fd = p[1];
	pthread_create(&s.thread, NULL, send_all, &s);
	wait_full(id);
	cr_assert_eq(detach(&f, ch, id), 0);
	cr_assert_eq(detach(&f, ch, id), -ENOENT);
	close(fd);
	fd = fixture_open(&f, 2, O_RDONLY);
	n = read_all(fd, buf, LEN);
	close(fd);
	cr_assert_lt(n, LEN);
	cr_assert_eq(n + read_all(rd, buf + n, LEN - n), LEN);
	cr_assert_eq(memcmp(buf, data, LEN), 0);
	pthread_join(s.thread, NULL);
	close(rd);
	free(buf);
}
