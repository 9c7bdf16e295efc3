#include "fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

struct fault fault_splice, fault_tee, fault_read, fault_write, fault_pipe, fault_open, fault_resize;
static struct sys real;

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -1;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void port_ended(void *data, struct channel *ch, unsigned id)
{
	sem_post(&((struct fixture *)data)->ended);
}

void fixture_start(struct fixture *f)
{
	const struct engine_events events = { .port_ended = port_ended, .data = f };
	int err = -ENOMEM;

	sem_init(&f->ended, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	f->fds = count_fds();
	strcpy(f->path, "/tmp/spfs-unit.XXXXXX");
	cr_assert(mkdtemp(f->path));
	f->dir = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(f->dir, 0);
	/* The kernel takes a ring apart later, and so long it counts for what an ordinary user may have locked in memory. */
	for (int i = 0; i < 2000 && err == -ENOMEM; i++) {
		err = engine_create(&f->engine, 1, f->dir, &events);
		poll(NULL, 0, err == -ENOMEM ? 10 : 0);
	}
	cr_assert_eq(err, 0, "%s", strerror(-err));
	cr_assert_eq(engine_assign(f->engine, geteuid(), WORKER_OPEN, &f->worker), 0);
}

void fixture_stop(struct fixture *f)
{
	char command[96];

	engine_destroy(f->engine);
	close(f->dir);
	snprintf(command, sizeof(command), "rm -r %s", f->path);
	cr_expect_eq(system(command), 0);
	for (int i = 0; i < 2000 && count_fds() != f->fds; i++)
		poll(NULL, 0, 10); /* some are closed aside */
	cr_expect_eq(count_fds(), f->fds, "descriptors are left: %d, not %d", count_fds(), f->fds);
}

void fixture_fifo(struct fixture *f, uint64_t id)
{
	char name[FIFO_NAME_MAX];

	fifo_name(name, id);
	cr_assert_eq(mkfifoat(f->dir, name, 0600), 0);
}

int fixture_open(struct fixture *f, uint64_t id, int flags)
{
	char name[FIFO_NAME_MAX];
	int fd;

	fifo_name(name, id);
	fd = openat(f->dir, name, flags | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(fd, 0, "node %d: %s", (int)id, strerror(errno));
	return fd;
}

struct call {
	struct loop_task task;
	void (*call)(void *arg);
	void *arg;
	sem_t done;
};

static void run_call(struct loop_task *task)
{
	struct call *c = (struct call *)(void *)task;

	c->call(c->arg);
	sem_post(&c->done);
}

void on_worker(struct fixture *f, void (*call)(void *arg), void *arg)
{
	struct call c = { .task.run = run_call, .call = call, .arg = arg };

	sem_init(&c.done, 0, 0);
	loop_post(f->worker->loop, &c.task);
	while (sem_wait(&c.done) < 0)
		;
	sem_destroy(&c.done);
}

struct tap_call {
	struct channel *ch;
	uint64_t id;
	int err;
};

static void call_add(void *arg)
{
	struct tap_call *c = arg;

	c->err = channel_add_tap(c->ch, c->id, &(struct limits){ .settings = settings_preset });
}

static void call_remove(void *arg)
{
	struct tap_call *c = arg;

	channel_remove_tap(c->ch, c->id);
}

struct call_in {
	const struct channel *channel;
	uint64_t bytes;
};

static void call_in(void *arg)
{
	struct call_in *c = arg;

	c->bytes = c->channel->bytes_in;
}

uint64_t fixture_bytes_in(struct fixture *f, struct channel *ch)
{
	struct call_in c = { .channel = ch };

	on_worker(f, call_in, &c);
	return c.bytes;
}

static void call_destroy(void *arg)
{
	channel_destroy(arg);
}

int fixture_add_tap(struct fixture *f, struct channel *ch, uint64_t id)
{
	struct tap_call c = { .ch = ch, .id = id };

	fixture_fifo(f, id);
	on_worker(f, call_add, &c);
	return c.err;
}

void fixture_remove_tap(struct fixture *f, struct channel *ch, uint64_t id)
{
	struct tap_call c = { .ch = ch, .id = id };

	on_worker(f, call_remove, &c);
}

struct set_call {
	struct channel *ch;
	uint64_t tap;
	enum setting_key key;
	uint64_t value;
	int err;
};

static void call_set(void *arg)
{
	struct set_call *c = arg;

	c->err = channel_set(c->ch, c->tap, c->key, c->value);
}

int fixture_set(struct fixture *f, struct channel *ch, uint64_t tap, enum setting_key key, uint64_t value)
{
	struct set_call c = { ch, tap, key, value, 0 };

	on_worker(f, call_set, &c);
	return c.err;
}

struct channel *fixture_channel(struct fixture *f, unsigned taps)
{
	struct channel *ch;

	fixture_fifo(f, 1);
	cr_assert_eq(channel_create(&ch, f->worker, 1, "test", &(struct limits){ .settings = settings_preset }), 0);
	for (unsigned i = 0; i < taps; i++)
		cr_assert_eq(fixture_add_tap(f, ch, 2 + i), 0);
	return ch;
}

void fixture_destroy(struct fixture *f, struct channel *ch)
{
	on_worker(f, call_destroy, ch);
}

void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	cr_assert_eq(poll(&p, 1, 20000), 1, "waited in vain");
}

size_t read_all(int fd, char *buf, size_t max)
{
	size_t len = 0;

	while (len < max) {
		ssize_t n;

		wait_for(fd, POLLIN);
		n = read(fd, buf + len, max - len);
		if (n == 0)
			break;
		cr_assert(n > 0 || errno == EAGAIN, "read: %s", strerror(errno));
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

/* ---- faults ---- */

static int due(struct fault *f)
{
	unsigned n = ++f->seen;

	return f->nth && n >= f->nth && n < f->nth + f->count ? f->err : 0;
}

static ssize_t bad_splice(int in, int out, size_t len)
{
	struct stat st;
	int err;

	/* What is thrown away is there: the kernel has no reason to refuse. */
	if (fstat(out, &st) == 0 && S_ISCHR(st.st_mode))
		return real.splice(in, out, len);
	err = due(&fault_splice);
	return err < 0 ? err : real.splice(in, out, err == FAULT_SHORT && len > 4096 ? 4096 : len);
}

static ssize_t bad_tee(int in, int out, size_t len)
{
	int err = len > 1 ? due(&fault_tee) : 0; /* one byte is only a look */

	return err < 0 ? err : real.tee(in, out, err == FAULT_SHORT ? len / 2 : len);
}

static ssize_t bad_read(int fd, void *buf, size_t len)
{
	int err = due(&fault_read);

	return err < 0 ? err : real.read(fd, buf, err == FAULT_SHORT ? (len + 1) / 2 : len);
}

static ssize_t bad_write(int fd, const void *buf, size_t len)
{
	int err = due(&fault_write);

	return err < 0 ? err : real.write(fd, buf, err == FAULT_SHORT ? (len + 1) / 2 : len);
}

static int bad_pipe(int fds[2], int flags)
{
	int err = due(&fault_pipe);

	return err ? err : real.pipe(fds, flags);
}

static int bad_open(int dir, const char *name, int flags)
{
	int err = due(&fault_open);

	return err ? err : real.open(dir, name, flags);
}

static int bad_resize(int fd, int bytes)
{
	int err = due(&fault_resize);

	return err ? err : real.resize(fd, bytes);
}

void faults_install(void)
{
	real = sys;
	sys.splice = bad_splice;
	sys.tee = bad_tee;
	sys.read = bad_read;
	sys.write = bad_write;
	sys.pipe = bad_pipe;
	sys.open = bad_open;
	sys.resize = bad_resize;
}

void expect_rest(const struct fault *f)
{
	uint64_t before = clock_nsec(), ms;
	unsigned tries = f->seen;

	poll(NULL, 0, 500);
	tries = f->seen - tries;
	ms = (clock_nsec() - before) / 1000000;
	cr_assert_leq(tries, ms / 20, "%u tries in %d ms", tries, (int)ms);
}
