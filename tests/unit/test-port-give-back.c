#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attached.h"
#include "clock.h"

#define MIB (1 << 20)
#define LEN (6 * MIB + 12345)

static struct fixture f;
static struct channel *ch;
static char *data;

static void start(void)
{
	signal(SIGXFSZ, SIG_IGN);
	faults_install();
	data = pattern(LEN);
	fixture_start(&f);
	ch = fixture_channel(&f, 1);
	ch->settings.value[SETTING_ON_ERROR] = ON_ERROR_HOLD; /* what one has not moved is there for the next */
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
	free(data);
}

TestSuite(port_give_back, .init = start, .fini = stop, .timeout = 60);

static void limit_files(rlim_t bytes)
{
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ bytes, RLIM_INFINITY });
}

#define NOBODY 65534

static void call_tap_lost(void *arg)
{
	uint64_t *lost = arg;
	const struct tap *tap = channel_find_tap(ch, *lost);

	*lost = tap ? tap->lost : 0;
}

static uint64_t tap_lost(uint64_t id)
{
	on_worker(&f, call_tap_lost, &id);
	return id;
}

static void call_channel_lost(void *arg)
{
	*(uint64_t *)arg = ch->lost;
}

static uint64_t channel_lost(void)
{
	uint64_t lost;

	on_worker(&f, call_channel_lost, &lost);
	return lost;
}

/* A disk that is full after @limit bytes of a stream of @len: nothing is lost on a tap with a name. */
static void fail_on_tap(size_t limit, size_t len, int flags)
{
	struct writer w = { .f = &f, .id = 1, .data = data, .len = len };
	int id = attach(&f, ch, PORT_SINK, 2, open_file(&f, "full", O_WRONLY | O_CREAT | O_TRUNC | flags), NULL);

	limit_files(limit);
	write_begin(&w);
	cr_assert_eq(wait_state(&f, ch, id, PORT_FAILED).err, -EFBIG);
	limit_files(RLIM_INFINITY);
	expect_node(&f, 2, data + limit, len - limit);
	write_end(&w);
	expect_file(&f, "full", data, limit);
	detach(&f, ch, id);
}

/* The same on the origin: the next sink there has the rest. */
static void fail_on_origin(size_t limit, size_t len)
{
	struct writer w = { .f = &f, .id = 1, .data = data, .len = len };
	int id = sink_to(&f, ch, 1, "full"), next;

	limit_files(limit);
	write_begin(&w);
	cr_assert_eq(wait_state(&f, ch, id, PORT_FAILED).err, -EFBIG);
	limit_files(RLIM_INFINITY);
	next = sink_to(&f, ch, 1, "rest");
	wait_state(&f, ch, next, PORT_DONE);
	write_end(&w);
	expect_file(&f, "full", data, limit);
	expect_file(&f, "rest", data + limit, len - limit);
	detach(&f, ch, id);
	detach(&f, ch, next);
}

/* With no lane full, one, both, and with bytes in the outlet and the queue behind them. */
static const struct {
	size_t limit, len;
} full_disks[] = {
	{ 0, 1 },   { 0, 5000 },      { 1, 5000 },          { 4096, MIB },
	{ 0, MIB }, { MIB, 2 * MIB }, { MIB + 1, 3 * MIB }, { 2 * MIB - 1, 4 * MIB },
	{ 0, LEN }, { 70000, LEN },   { 3 * MIB, LEN },     { LEN - 1, LEN },
};

Test(port_give_back, a_full_disk_gives_every_byte_back_to_a_tap)
{
	for (unsigned i = 0; i < sizeof(full_disks) / sizeof(full_disks[0]); i++)
		fail_on_tap(full_disks[i].limit, full_disks[i].len, 0);
}

/* They were copied, and come back by reference. */
Test(port_give_back, a_full_disk_gives_back_what_was_to_be_appended)
{
	for (unsigned i = 0; i < sizeof(full_disks) / sizeof(full_disks[0]); i++)
		fail_on_tap(full_disks[i].limit, full_disks[i].len, O_APPEND);
}

Test(port_give_back, a_full_disk_leaves_every_byte_to_the_next_sink_of_the_origin)
{
	fixture_remove_tap(&f, ch, 2);
	for (unsigned i = 0; i < sizeof(full_disks) / sizeof(full_disks[0]); i++)
		fail_on_origin(full_disks[i].limit, full_disks[i].len);
}

/* /dev/full has no splice: the kernel says EINVAL, before its own ENOSPC. */
Test(port_give_back, a_device_that_takes_nothing_leaves_everything)
{
	int id = attach(&f, ch, PORT_SINK, 2, open("/dev/full", O_WRONLY | O_CLOEXEC), NULL);

	source_file(&f, ch, data, "in", 3 * MIB, NULL);
	cr_assert_eq(wait_state(&f, ch, id, PORT_FAILED).err, -EINVAL);
	expect_node(&f, 2, data, 3 * MIB);
}

Test(port_give_back, a_file_system_without_space_leaves_what_it_did_not_take)
{
	char path[80];
	struct look l;

	snprintf(path, sizeof(path), "%s/small", f.path);
	cr_assert_eq(mkdir(path, 0700), 0);
	if (mount("tmpfs", path, "tmpfs", 0, "size=1500k") < 0) {
		stop(); /* nobody else does, then */
		cr_skip("cannot mount");
	}
	source_file(&f, ch, data, "in", LEN, NULL);
	l = wait_state(&f, ch, sink_to(&f, ch, 2, "small/out"), PORT_FAILED);
	cr_expect_eq(l.err, -ENOSPC);
	cr_expect_gt(l.bytes, 0);
	expect_file(&f, "small/out", data, l.bytes);
	WAIT_UNTIL(umount(path) == 0); /* the file is closed aside */
	expect_node(&f, 2, data + l.bytes, LEN - l.bytes);
}

Test(port_give_back, what_a_failed_sink_gives_back_goes_before_the_next_stream)
{
	int id = attach(&f, ch, PORT_SINK, 1, open("/dev/full", O_WRONLY | O_CLOEXEC), NULL), next;

	fixture_remove_tap(&f, ch, 2);
	source_file(&f, ch, data, "in", 5000, NULL);
	wait_state(&f, ch, id, PORT_FAILED);
	wait_state(&f, ch, source_file(&f, ch, data, "in", 0, NULL), PORT_DONE);
	wait_state(&f, ch, source_file(&f, ch, data, "in", 5000, NULL), PORT_DONE);
	next = sink_to(&f, ch, 1, "rest");
	wait_state(&f, ch, next, PORT_DONE);
	memcpy(data + 5000, data, 5000);
	expect_file(&f, "rest", data, 10000);
}

/* ---- who takes over ---- */

/* A sink of @uid's whose peer has gone, with @len bytes of a stream that it has not sent. */
static int broken_sink(uid_t uid, size_t len)
{
	int sv[2], id;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	id = attach_as(uid, &f, ch, PORT_SINK, 1, sv[0], NULL);
	cr_assert_gt(id, 0);
	close(sv[1]);
	wait_state(&f, ch, id, PORT_FAILED);
	wait_state(&f, ch, source_file(&f, ch, data, "in", len, NULL), PORT_DONE);
	return id;
}

Test(port_give_back, what_was_left_goes_on_at_the_rate_of_who_takes_over)
{
	enum { LEFT = 400000, RATE = 65536 };
	struct look l;
	uint64_t nsec;
	int id, next;

	fixture_remove_tap(&f, ch, 2);
	id = broken_sink(getuid(), LEFT);
	nsec = clock_nsec();
	next = attach(&f, ch, PORT_SINK, 1, open_file(&f, "out", O_WRONLY | O_CREAT), "file:/out?rate=64K");
	poll(NULL, 0, 1000);
	WAIT_UNTIL(look_at(&f, ch, next).bytes > 0);
	l = look_at(&f, ch, next);
	nsec = clock_nsec() - nsec;
	cr_expect_lt(l.bytes, RATE * (2 + nsec / NSEC_PER_SEC), "%ju bytes in %ju ns", (uintmax_t)l.bytes,
		     (uintmax_t)nsec);
	wait_state(&f, ch, next, PORT_DONE);
	expect_file(&f, "out", data, LEFT);
	detach(&f, ch, id);
}

/* It is the first one's, and is kept for it. */
Test(port_give_back, what_was_left_is_nobody_elses)
{
	int id, others, next;

	if (geteuid() != 0) {
		stop(); /* nobody else does, then */
		cr_skip("needs root");
	}
	fixture_remove_tap(&f, ch, 2);
	id = broken_sink(getuid(), 100000);
	others = attach_as(NOBODY, &f, ch, PORT_SINK, 1, open_file(&f, "others", O_WRONLY | O_CREAT), NULL);
	wait_state(&f, ch, source_file(&f, ch, data, "in", 1000, NULL), PORT_DONE);
	wait_state(&f, ch, others, PORT_DONE);
	expect_file(&f, "others", data, 1000);
	next = sink_to(&f, ch, 1, "own");
	wait_state(&f, ch, next, PORT_DONE);
	memmove(data + 100000, data, 1000);
	expect_file(&f, "own", data, 101000);
	detach(&f, ch, id);
}

/* ---- what is lost is counted ---- */

static size_t read_what_is_there(uint64_t node)
{
	int fd = fixture_open(&f, node, O_RDONLY);
	char *buf = malloc(LEN);
	size_t n = read_all(fd, buf, LEN);

	free(buf);
	close(fd);
	return n;
}

static uint64_t all_lost;

/* From the first byte on no pipe is granted. Whether one is missed then depends on how much the sink was ahead. */
static void fail_without_pipes(int flags)
{
	static uint64_t node = 2;
	const size_t len = 4 * MIB;
	int first = fixture_open(&f, 1, O_RDWR);
	int id = attach(&f, ch, PORT_SINK, node, open_file(&f, "full", O_WRONLY | O_CREAT | O_TRUNC | flags), NULL);
	struct writer w = { .f = &f, .id = 1, .data = data + 1, .len = len - 1 };
	struct look l;
	uint64_t lost;
	size_t got;

	limit_files(1);
	cr_assert_eq(write(first, data, 1), 1);
	WAIT_UNTIL(look_at(&f, ch, id).bytes == 1);
	fault_pipe = (struct fault){ .nth = 1, .count = UINT_MAX / 2, .err = -EMFILE };
	write_begin(&w);
	l = wait_state(&f, ch, id, PORT_FAILED);
	limit_files(RLIM_INFINITY);
	fault_pipe = (struct fault){ 0 };
	close(first);
	got = read_what_is_there(node);
	write_end(&w);
	lost = tap_lost(node);
	all_lost += lost;
	cr_expect_eq(l.bytes + got + lost, len, "%ju + %zu + %ju", (uintmax_t)l.bytes, got, (uintmax_t)lost);
	detach(&f, ch, id);
	fixture_remove_tap(&f, ch, node);
	cr_assert_eq(fixture_add_tap(&f, ch, ++node), 0);
}

Test(port_give_back, counts_what_cannot_be_given_back)
{
	for (int i = 0; i < 100 && (i < 10 || !all_lost); i++)
		fail_without_pipes(i % 2 ? O_APPEND : 0);
	cr_expect_gt(all_lost, 0, "nothing was refused when it mattered");
}

/* With the tap's name goes what its sink has in hand, and what is in the tap. */
Test(port_give_back, counts_what_goes_with_a_sink)
{
	int sv[2], id;
	struct look l;

	fixture_remove_tap(&f, ch, 2);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	id = attach(&f, ch, PORT_SINK, 1, sv[0], NULL);
	source_file(&f, ch, data, "in", LEN, NULL);
	WAIT_UNTIL(look_at(&f, ch, id).bytes > 0);
	poll(NULL, 0, 100);
	l = look_at(&f, ch, id);
	cr_assert_eq(detach(&f, ch, id), 0);
	WAIT_UNTIL(channel_lost() > 0);
	cr_expect_leq(channel_lost(), LEN - l.bytes);
	close(sv[1]);
}
