#include "openings.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "file-claim.h"

struct fixture opening_fixture;
struct call last;
static int threads; /* of the process, without openings */

static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* One that ends while the folder is read may hide another: so it is read twice. */
static bool threads_are_left(void)
{
	return count_threads() > threads || count_threads() > threads;
}

void wait_threads(void)
{
	for (int i = 0; i < 20000; i++) {
		if (!threads_are_left())
			return;
		poll(NULL, 0, 1);
	}
	cr_assert_fail("threads are left");
}

void openings_start(void)
{
	fixture_start(&opening_fixture);
	cr_assert_eq(chmod(opening_fixture.path, 0755), 0);
	threads = count_threads();
}

void openings_stop(void)
{
	wait_threads();
	fixture_stop(&opening_fixture);
}

void need_root(void)
{
	if (geteuid() == 0)
		return;
	openings_stop(); /* nobody else does, then */
	cr_skip("needs root");
}

static void done(struct opening *o)
{
	struct call *c = container_of(o, struct call, o);

	c->dones++;
	sem_post(&c->done);
}

static void call_start(void *arg)
{
	struct call *c = arg;

	c->started = opening_start(&c->o);
}

static void call_cancel(void *arg)
{
	opening_cancel(&((struct call *)arg)->o);
}

static void call_nothing(void *arg)
{
}

static void prepare_call(struct call *c, enum port_dir dir)
{
	*c = (struct call){
		.rights = { .uid = geteuid(), .gid = getegid(), .caps = RIGHTS_ALL },
		.o = { .uri = &c->uri, .fd = -1, .process = -1, .rights = &c->rights, .dir = dir, .done = done },
	};
	c->o.loop = opening_fixture.worker->loop;
	sem_init(&c->done, 0, 0);
}

void prepare_passed(struct call *c, enum port_dir dir, int fd)
{
	prepare_call(c, dir);
	c->o.fd = fd;
	cr_assert_eq(uri_of_fd(&c->uri), 0);
}

void prepare(struct call *c, enum port_dir dir, const char *uri)
{
	char why[URI_WHY_MAX];

	prepare_call(c, dir);
	cr_assert_eq(uri_parse(&c->uri, uri, dir, why), 0, "%s: %s", uri, why);
}

void prepare_here(struct call *c, enum port_dir dir, const char *kind, const char *name)
{
	char uri[512];

	snprintf(uri, sizeof(uri), "%s:%s/%s", kind, opening_fixture.path, name);
	prepare(c, dir, uri);
}

int try_to_begin(struct call *c)
{
	on_worker(&opening_fixture, call_start, c);
	/* What it was begun with need not stay. */
	uri_finish(&c->uri);
	rights_finish(&c->rights);
	return c->started;
}

void begin(struct call *c)
{
	cr_assert_eq(try_to_begin(c), 0);
}

int wait_done(struct call *c)
{
	while (sem_wait(&c->done) < 0)
		;
	on_worker(&opening_fixture, call_nothing, NULL);
	cr_assert_eq(c->dones, 1, "done() came %d times", c->dones);
	sem_destroy(&c->done);
	cr_expect_eq(c->o.err < 0, c->o.why[0] != '\0', "%d: '%s'", c->o.err, c->o.why);
	cr_expect_eq(c->o.err < 0, c->o.opened.fd < 0);
	return c->o.err;
}

int cancelled(struct call *c)
{
	on_worker(&opening_fixture, call_cancel, c);
	return wait_done(c);
}

int open_as(uid_t uid, enum port_dir dir, const char *kind, const char *name)
{
	prepare_here(&last, dir, kind, name);
	last.rights.uid = uid;
	last.rights.gid = uid == NOBODY ? NOBODY : getegid();
	begin(&last);
	wait_done(&last);
	file_claim_drop(last.o.opened.claim); /* (the test closes the descriptor, and nothing else) */
	last.o.opened.claim = NULL;
	return last.o.err < 0 ? last.o.err : last.o.opened.fd;
}

int open_uri(enum port_dir dir, const char *uri)
{
	prepare(&last, dir, uri);
	begin(&last);
	return wait_done(&last) < 0 ? last.o.err : last.o.opened.fd;
}

int open_here(enum port_dir dir, const char *kind, const char *name)
{
	return open_as(geteuid(), dir, kind, name);
}

void expect_why(const char *part)
{
	cr_expect(strstr(last.o.why, part), "'%s' is not in '%s'", part, last.o.why);
}

void expect_flags(int fd, int mode, bool nonblock)
{
	int flags = fcntl(fd, F_GETFL);

	cr_assert_geq(fd, 0, "%s", last.o.why);
	cr_expect_eq(flags & O_ACCMODE, mode);
	cr_expect_eq(!!(flags & O_NONBLOCK), nonblock);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

const char *path_of(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", opening_fixture.path, name);
	return path;
}

void make(const char *name, mode_t mode)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fchmod(fd, mode), 0);
	cr_assert_eq(write(fd, "0123456789", 10), 10);
	close(fd);
}

off_t size_of(const char *name)
{
	struct stat st;

	return stat(path_of(name), &st) < 0 ? -1 : st.st_size;
}

dev_t device_of(const char *name)
{
	struct stat st;

	cr_assert_eq(stat(path_of(name), &st), 0);
	return st.st_dev;
}

void wait_asleep(void)
{
	for (int i = 0; i < 20000 && count_threads() == threads; i++)
		poll(NULL, 0, 1);
	poll(NULL, 0, 50);
}

int first_unprivileged_port(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int port = 1024;

	if (file) {
		cr_assert_eq(fscanf(file, "%d", &port), 1);
		fclose(file);
	}
	return port;
}
