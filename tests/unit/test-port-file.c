#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attached.h"

#define MIB (1 << 20)
#define LEN (6 * MIB + 12345)

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

TestSuite(port_file, .init = start, .fini = stop, .timeout = 60);

/* ---- sources ---- */

Test(port_file, a_source_ends_exactly_with_its_file)
{
	const size_t sizes[] = { 0, 1, 4095, 4096, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1, LEN };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int id = source_file(&f, ch, data, "in", sizes[i], NULL);

		expect_node(&f, 2, data, sizes[i]);
		cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, sizes[i]);
	}
}

Test(port_file, a_source_takes_the_part_that_was_asked_for)
{
	int id = source_file(&f, ch, data, "in", LEN, "file:/in?offset=5&length=3M");

	expect_node(&f, 2, data + 5, 3 * MIB);
	cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, 3 * MIB);
}

Test(port_file, a_failing_source_lets_the_next_one_play)
{
	int fd = fixture_open(&f, 1, O_RDWR); /* so that none plays to its end before the last is there */
	char all[9];
	int ids[3];

	memcpy(all, data, 3);
	memcpy(all + 3, data, 2);
	memcpy(all + 5, data, 4);
	ids[0] = source_file(&f, ch, data, "a", 3, NULL);
	ids[1] = source_file(&f, ch, data, "b", 2, "file:/b?length=100");
	ids[2] = source_file(&f, ch, data, "c", 4, NULL);
	cr_assert_eq(wait_state(&f, ch, ids[0], PORT_DONE).bytes, 3);
	cr_assert_eq(wait_state(&f, ch, ids[1], PORT_FAILED).err, -ENODATA);
	cr_assert_eq(wait_state(&f, ch, ids[2], PORT_DONE).bytes, 4);
	close(fd);
	expect_node(&f, 2, all, sizeof(all));
}

Test(port_file, a_source_goes_on_whichever_splice_comes_short_or_is_told_to_try_again)
{
	const int errs[] = { FAULT_SHORT, -EAGAIN };

	for (unsigned i = 0; i < 10; i++) {
		fault_splice = (struct fault){ .nth = 1 + i / 2, .count = 2, .err = errs[i % 2] };
		source_file(&f, ch, data, "in", 3 * MIB, NULL);
		expect_node(&f, 2, data, 3 * MIB);
	}
}

/* ---- sinks ---- */

Test(port_file, a_sink_writes_everything_of_a_tap_and_of_the_origin)
{
	const size_t sizes[] = { 1, 4096, 2 * MIB, LEN };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int tap = sink_to(&f, ch, 2, "tap"), origin = sink_to(&f, ch, 1, "origin");

		source_file(&f, ch, data, "in", sizes[i], NULL);
		wait_state(&f, ch, tap, PORT_DONE);
		wait_state(&f, ch, origin, PORT_DONE);
		expect_file(&f, "tap", data, sizes[i]);
		expect_file(&f, "origin", data, sizes[i]);
	}
}

/* ---- detaching ---- */

/* A terminal, whose other side is @master. */
static int terminal(int *master)
{
	int slave;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_eq(grantpt(*master), 0);
	cr_assert_eq(unlockpt(*master), 0);
	slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(slave, 0);
	return slave;
}

Test(port_file, detaching_a_sink_gives_back_what_the_device_has_not_taken)
{
	/* A terminal without a reader takes some thousand bytes, and then makes the kernel's thread wait. */
	int master, id = attach(&f, ch, PORT_SINK, 2, terminal(&master), NULL);
	struct look l;

	memset(data, 'x', MIB);
	source_file(&f, ch, data, "in", MIB, NULL);
	WAIT_UNTIL(poll(&(struct pollfd){ .fd = master, .events = POLLIN }, 1, 0) == 1);
	poll(NULL, 0, 50);
	l = look_at(&f, ch, id);
	cr_assert_eq(l.state, PORT_RUNNING);
	cr_assert_eq(detach(&f, ch, id), 0);
	cr_assert_eq(detach(&f, ch, id), -ENOENT);
	cr_assert_not(look_at(&f, ch, id).there);
	{
		char *buf = malloc(MIB + 1);
		int fd = fixture_open(&f, 2, O_RDONLY);
		size_t n = read_all(fd, buf, MIB + 1);

		cr_assert_gt(n, MIB - 100000, "%zu", n);
		close(fd);
		free(buf);
	}
	close(master);
}

Test(port_file, detaching_a_source_ends_its_stream_also_while_it_waits_for_its_device)
{
	int master, id = attach(&f, ch, PORT_SOURCE, 1, terminal(&master), NULL);

	cr_assert_eq(write(master, "a line\n", 7), 7);
	WAIT_UNTIL(look_at(&f, ch, id).bytes == 7);
	cr_assert_eq(detach(&f, ch, id), 0);
	expect_node(&f, 2, "a line\n", 7);
	close(master);
}

Test(port_file, detaching_a_waiting_source_leaves_the_others_their_order)
{
	int fd = fixture_open(&f, 1, O_RDWR);
	int first = source_file(&f, ch, data, "a", LEN, NULL);
	int second = source_file(&f, ch, data, "b", 5, NULL);
	int third = source_file(&f, ch, data, "c", 3, NULL);

	cr_assert_eq(look_at(&f, ch, second).state, PORT_WAITING);
	cr_assert_eq(detach(&f, ch, second), 0);
	close(fd);
	{
		char *all = malloc(LEN + 3);

		memcpy(all, data, LEN);
		memcpy(all + LEN, data, 3);
		expect_node(&f, 2, all, LEN + 3);
		free(all);
	}
	wait_state(&f, ch, first, PORT_DONE);
	wait_state(&f, ch, third, PORT_DONE);
	cr_assert_eq(detach(&f, ch, first), 0);
	cr_assert_eq(detach(&f, ch, first), -ENOENT);
}

/* The channel goes while ports are in every state: fixture_stop() looks for what is left. */
Test(port_file, a_channel_goes_with_its_ports_whatever_they_do)
{
	int p[2];

	sink_to(&f, ch, 2, "out");
	sink_to(&f, ch, 1, "out2");
	attach(&f, ch, PORT_SINK, 1, open("/dev/full", O_WRONLY | O_CLOEXEC), NULL);
	cr_assert_eq(pipe2(p, O_CLOEXEC), 0);
	attach(&f, ch, PORT_SINK, 1, p[1], NULL);
	source_file(&f, ch, data, "a", LEN, NULL);
	source_file(&f, ch, data, "b", LEN, NULL);
	attach(&f, ch, PORT_SOURCE, 1, open("/dev/zero", O_RDONLY | O_CLOEXEC), NULL);
	poll(&(struct pollfd){ .fd = p[0], .events = POLLIN }, 1, 5000);
	fixture_destroy(&f, ch);
	close(p[0]);
	unlinkat(f.dir, "0000000000000001", 0);
	ch = fixture_channel(&f, 0);
}

/* A splice under way holds its lane's lock: closing the lane would wait for the device. */
Test(port_file, a_channel_goes_while_a_device_makes_its_ports_wait)
{
	int masters[2];

	attach(&f, ch, PORT_SOURCE, 1, terminal(&masters[0]), NULL);
	attach(&f, ch, PORT_SINK, 2, terminal(&masters[1]), NULL);
	cr_assert_eq(write(masters[0], "a line\n", 7), 7);
	wait_for(masters[1], POLLIN);
	fixture_destroy(&f, ch);
	unlinkat(f.dir, "0000000000000001", 0);
	ch = fixture_channel(&f, 0);
	close(masters[0]);
	close(masters[1]);
}

/* ---- what was never begun ---- */

Test(port_file, a_refused_descriptor_leaves_others_alone)
{
	struct rlimit limit;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), high;

	if (fd > 0) /* else it is 0 itself */
		dup2(fd, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 256;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 250); /* one of those that are kept for running streams */
	cr_assert_geq(high, 250);
	cr_expect_eq(attach(&f, ch, PORT_SOURCE, 1, high, NULL), -EMFILE);
	cr_expect_geq(fcntl(0, F_GETFD), 0, "descriptor 0 is closed");
	if (fd > 0)
		close(fd);
}

/* Until the channel takes no more for a while. Returns the bytes. */
static size_t fill_channel(int fd)
{
	static const char zeros[65536];
	size_t filled = 0;

	for (int full = 0; full < 20;) {
		ssize_t n = write(fd, zeros, sizeof(zeros));

		filled += n > 0 ? (size_t)n : 0;
		full = n > 0 ? 0 : full + 1;
		if (n < 0)
			poll(NULL, 0, 5);
	}
	return filled;
}

static bool is_to_be_read(int fd, size_t wanted)
{
	int bytes;

	return ioctl(fd, FIONREAD, &bytes) == 0 && bytes == (int)wanted;
}

/* What was read of a terminal is nowhere else: it goes out, though its source was detached. */
Test(port_file, a_source_on_a_device_hands_on_what_it_has_when_it_is_detached)
{
	static const char line[] = "a line of the terminal\n";
	const size_t len = sizeof(line) - 1;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), writer = fixture_open(&f, 1, O_RDWR), slave, look,
	    out;
	size_t filled;
	char *got;
	int id;

	cr_assert(grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	look = dup(slave);
	filled = fill_channel(writer);
	cr_assert_eq(write(master, line, len), (ssize_t)len);
	WAIT_UNTIL(is_to_be_read(look, len)); /* a thread of the kernel's hands it over */
	id = attach(&f, ch, PORT_SOURCE, 1, slave, NULL);
	cr_assert_gt(id, 0);
	WAIT_UNTIL(is_to_be_read(look, 0));
	cr_assert_eq(detach(&f, ch, id), 0);
	close(writer);
	out = fixture_open(&f, 2, O_RDONLY);
	got = malloc(filled + len + 1);
	cr_assert_eq(read_all(out, got, filled + len + 1), filled + len);
	cr_expect_eq(memcmp(got + filled, line, len), 0);
	free(got);
	close(out);
	close(look);
	close(master);
}

/* ---- rights ---- */

#define NOBODY 65534

static void call_stable(void *arg)
{
	cr_assert_eq(channel_set(ch, 0, SETTING_STABLE, 1), 0);
}

/* What proc_pid_stat(5) tells of process @pid to @uid: the number in the 26th place, which is an address, or 1. */
static uint64_t address_as(uid_t uid, pid_t pid)
{
	char path[64], text[1024] = "";
	const char *at;
	uint64_t address = 0;
	int fd, out;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	out = fixture_open(&f, 2, O_RDONLY);
	cr_assert_gt(attach_as(uid, &f, ch, PORT_SOURCE, 1, fd, NULL), 0);
	cr_assert_gt(read_all(out, text, sizeof(text) - 1), 0);
	close(out);
	at = strrchr(text, ')');
	for (int i = 2; at && i < 26; i++)
		at = strchr(at + 1, ' ');
	cr_assert(at && sscanf(at, "%" SCNu64, &address) == 1, "%s", text);
	return address;
}

/* Such a file of the kernel's looks at who reads it. (An attach by its opening refuses it for that.) */
Test(port_file, is_read_with_the_rights_of_who_has_attached_it)
{
	pid_t pid;

	if (geteuid() != 0) {
		stop(); /* nobody else does, then */
		cr_skip("needs root");
	}
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	on_worker(&f, call_stable, NULL);
	cr_expect_gt(address_as(0, pid), 1);
	cr_expect_eq(address_as(NOBODY, pid), 1, "somebody reads what only root may");
	cr_expect_gt(address_as(0, pid), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
