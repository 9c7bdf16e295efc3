#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attached.h"

#define MIB (1 << 20)
#define LEN (6 * MIB + 12345)

static struct fixture f;
static struct channel *ch;
static char *data;

static void start(void)
{
	signal(SIGXFSZ, SIG_IGN);
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

TestSuite(port_give_back, .init = start, .fini = stop, .timeout = 60);

static void limit_files(rlim_t bytes)
{
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ bytes, RLIM_INFINITY });
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
