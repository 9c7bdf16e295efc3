#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt.h"
#include "base.h"
#include "kinds.h"
#include "openings.h"

#define MANY 100

TestSuite(opener, .init = openings_start, .fini = openings_stop, .timeout = 60);

/* ---- files ---- */

Test(opener, a_source_file)
{
	int fd;

	make("a b", 0600);
	fd = open_here(PORT_SOURCE, "file", "a%20b");
	expect_flags(fd, O_RDONLY, false);
	close(fd);
	cr_expect_eq(open_here(PORT_SOURCE, "file", "b"), -ENOENT);
	expect_why("/b: No such file or directory");
	cr_expect_eq(open_here(PORT_SOURCE, "file", ""), -EISDIR);
	cr_expect_eq(open_here(PORT_SOURCE, "file", "a%20b/c"), -ENOTDIR);
}

Test(opener, a_sink_file)
{
	struct stat st;
	int fd;

	fd = open_here(PORT_SINK, "file", "new?create=0666"); /* and the umask is 022 */
	expect_flags(fd, O_WRONLY, false);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0666);
	close(fd);
	cr_expect_eq(umask(0022), 0022, "the process has another umask");
	make("old", 0600);
	fd = open_here(PORT_SINK, "file", "old?append=1");
	expect_flags(fd, O_WRONLY, false);
	close(fd);
	cr_expect_eq(size_of("old"), 10);
	close(open_here(PORT_SINK, "file", "old"));
	cr_expect_eq(size_of("old"), 0);
	cr_expect_eq(open_here(PORT_SINK, "file", ""), -EISDIR);
	cr_expect_eq(open_here(PORT_SINK, "file", "none/new"), -ENOENT);
}

Test(opener, the_callers_rights_to_files)
{
	need_root();
	make("secret", 0600);
	make("open", 0666);
	cr_expect_eq(open_as(NOBODY, PORT_SOURCE, "file", "secret"), -EACCES);
	expect_why("secret: Permission denied");
	cr_expect_eq(open_as(NOBODY, PORT_SINK, "file", "secret"), -EACCES);
	cr_expect_eq(size_of("secret"), 10);
	cr_expect_eq(open_as(NOBODY, PORT_SINK, "file", "new"), -EACCES);
	cr_expect_eq(size_of("new"), -1);
	close(open_as(NOBODY, PORT_SINK, "file", "open"));
	cr_expect_eq(last.o.err, 0);
	cr_expect_eq(size_of("open"), 0);
	cr_assert_eq(mkdir(path_of("closed"), 0700), 0);
	make("closed/open", 0666);
	cr_expect_eq(open_as(NOBODY, PORT_SOURCE, "file", "closed/open"), -EACCES);
}

static int open_on_mount(enum port_dir dir, const char *name, dev_t mount)
{
	prepare_here(&last, dir, "file", name);
	last.o.mount = mount;
	begin(&last);
	return wait_done(&last);
}

Test(opener, nothing_of_the_daemons_own_mount)
{
	struct stat st;

	make("old", 0600);
	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	cr_assert_eq(stat(opening_fixture.path, &st), 0);
	cr_expect_eq(open_on_mount(PORT_SOURCE, "old", st.st_dev), -EXDEV);
	expect_why("same mount");
	cr_expect_eq(open_on_mount(PORT_SINK, "old", st.st_dev), -EXDEV);
	cr_expect_eq(size_of("old"), 10);
	cr_expect_eq(open_on_mount(PORT_SINK, "new", st.st_dev), -EXDEV);
	cr_expect_eq(size_of("new"), -1);
	cr_expect_eq(open_on_mount(PORT_SOURCE, "fifo", st.st_dev), -EXDEV);
	cr_expect_eq(open_on_mount(PORT_SINK, "fifo", st.st_dev), -EXDEV);
}

Test(opener, nothing_that_is_the_daemons_own)
{
	cr_expect_eq(open_uri(PORT_SOURCE, "file:/dev/stdin"), -ELOOP);
	expect_why("descriptor of the daemon");
	cr_expect_eq(open_uri(PORT_SOURCE, "file:/proc/self/root/etc/passwd"), -ELOOP);
	cr_expect_eq(open_uri(PORT_SOURCE, "file:/proc/self/maps"), -EXDEV);
	cr_expect_eq(open_uri(PORT_SINK, "file:/proc/thread-self/mem"), -EXDEV);
	cr_expect_eq(open_uri(PORT_SINK, "file:/proc/thread-self/comm"), -EXDEV);
}

/* In a session of its own, with a terminal: opens /dev/tty, without a thread. Returns the error. */
static int open_tty(int master)
{
	struct attempt a = { .opened = OPENED_NONE };

	signal(SIGHUP, SIG_IGN);
	if (setsid() < 0 || open(ptsname(master), O_RDWR) < 0 ||
	    uri_parse(&a.uri, "file:/dev/tty", PORT_SOURCE, a.why) < 0)
		return 0;
	return -a.uri.kind->open(&a);
}

Test(opener, not_the_daemons_terminal)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), result;
	pid_t child;

	cr_assert_geq(master, 0);
	cr_assert_eq(unlockpt(master), 0);
	child = fork();
	if (child == 0)
		_exit(open_tty(master));
	cr_assert_eq(waitpid(child, &result, 0), child);
	cr_expect(WIFEXITED(result) && WEXITSTATUS(result) == EXDEV, "status %#x", (unsigned)result);
	close(master);
}

Test(opener, a_device_is_not_emptied_and_does_not_block)
{
	int fd = open_uri(PORT_SINK, "file:/dev/null");

	expect_flags(fd, O_WRONLY, true);
	close(fd);
}

Test(opener, a_fifo_waits_for_its_peer)
{
	struct call c;
	int peer;

	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	prepare_here(&c, PORT_SOURCE, "file", "fifo");
	begin(&c);
	peer = open(path_of("fifo"), O_WRONLY | O_CLOEXEC); /* waits for the thread */
	cr_assert_eq(wait_done(&c), 0);
	expect_flags(c.o.opened.fd, O_RDONLY, true);
	close(peer);
	close(c.o.opened.fd);
	prepare_here(&c, PORT_SINK, "file", "fifo");
	begin(&c);
	peer = open(path_of("fifo"), O_RDONLY | O_CLOEXEC);
	cr_assert_eq(wait_done(&c), 0);
	expect_flags(c.o.opened.fd, O_WRONLY, true);
	close(peer);
	close(c.o.opened.fd);
}

/* ---- cancelling ---- */

Test(opener, a_fifo_without_a_peer_is_cancelled)
{
	static const enum port_dir dirs[] = { PORT_SOURCE, PORT_SINK };
	struct call c;

	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	for (int i = 0; i < 2; i++) {
		prepare_here(&c, dirs[i], "file", "fifo");
		begin(&c);
		wait_asleep();
		cr_expect_eq(cancelled(&c), -EINTR);
		wait_threads();
	}
}

/* With other rights, the signal comes through as well. */
Test(opener, a_fifo_without_a_peer_is_cancelled_for_somebody)
{
	struct call c;

	need_root();
	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	cr_assert_eq(chmod(path_of("fifo"), 0666), 0);
	prepare_here(&c, PORT_SOURCE, "file", "fifo");
	c.rights.uid = c.rights.gid = NOBODY;
	begin(&c);
	wait_asleep();
	cr_expect_eq(cancelled(&c), -EINTR);
	wait_threads();
}

/* Wherever the thread is, be it just before the call. */
Test(opener, a_cancel_is_never_lost)
{
	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	for (int i = 0; i < 500; i++) {
		struct call c;

		prepare_here(&c, PORT_SOURCE, "file", "fifo");
		begin(&c);
		for (volatile int spin = 0; spin < i * 100; spin++)
			;
		cr_assert_eq(cancelled(&c), -EINTR);
		if (i % 32 == 31) /* each counts for its user until its thread has ended */
			wait_threads();
	}
	wait_threads();
}

Test(opener, what_was_ready_is_delivered_or_closed)
{
	make("file", 0600);
	for (int i = 0; i < 300; i++) {
		struct call c;

		prepare_here(&c, PORT_SOURCE, "file", "file");
		begin(&c);
		for (volatile int spin = 0; spin < i * 500; spin++)
			;
		if (cancelled(&c) == 0)
			close(c.o.opened.fd);
		else
			cr_assert_eq(c.o.err, -EINTR);
		if (i % 32 == 31)
			wait_threads();
	}
}

/* A signal that nobody sent for a cancel. */
Test(opener, a_stray_signal_changes_nothing)
{
	struct call c;
	int peer;

	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	prepare_here(&c, PORT_SOURCE, "file", "fifo");
	begin(&c);
	wait_asleep();
	cr_assert_eq(pthread_kill(c.o.thread, SIGRTMIN), 0);
	poll(NULL, 0, 20);
	peer = open(path_of("fifo"), O_WRONLY | O_CLOEXEC);
	cr_assert_eq(wait_done(&c), 0, "%s", c.o.why);
	close(peer);
	close(c.o.opened.fd);
}

Test(opener, many_at_once)
{
	static struct call files[MANY], fifos[MANY];

	make("file", 0600);
	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	for (int i = 0; i < MANY; i++) {
		prepare_here(&fifos[i], PORT_SOURCE, "file", "fifo");
		fifos[i].o.own = true;
		begin(&fifos[i]);
		prepare_here(&files[i], PORT_SOURCE, "file", "file");
		files[i].o.own = true;
		begin(&files[i]);
	}
	for (int i = 0; i < MANY; i++) {
		cr_assert_eq(wait_done(&files[i]), 0);
		close(files[i].o.opened.fd);
		cr_assert_eq(cancelled(&fifos[i]), -EINTR);
	}
}

static pthread_key_t last_of_thread;
static sem_t may_end;

static void wait_to_end(void *value)
{
	while (sem_wait(&may_end) < 0)
		;
}

static int open_slow_to_end(struct attempt *a)
{
	pthread_setspecific(last_of_thread, a);
	a->opened.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return a->opened.fd < 0 ? -errno : 0;
}

/* Its user may slow it down. */
Test(opener, nobody_waits_for_the_end_of_a_thread)
{
	static const struct port_kind slow = { .name = "slow", .open = open_slow_to_end };
	struct call c;

	cr_assert(sem_init(&may_end, 0, 0) == 0 && pthread_key_create(&last_of_thread, wait_to_end) == 0);
	prepare_here(&c, PORT_SOURCE, "file", "none");
	c.uri.kind = &slow;
	begin(&c);
	cr_expect_eq(wait_done(&c), 0, "%s", c.o.why);
	close(c.o.opened.fd);
	sem_post(&may_end);
	wait_threads();
	pthread_key_delete(last_of_thread);
}

static int start_as(struct call *c, uid_t uid)
{
	prepare_here(c, PORT_SOURCE, "file", "fifo");
	c->rights.uid = uid;
	return try_to_begin(c);
}

/* One user's many openings are no reason to refuse another's. */
Test(opener, of_one_user_are_counted_for_that_user)
{
	static struct call fifos[OPENING_USER_MAX], other;

	need_root();
	cr_assert_eq(mkfifo(path_of("fifo"), 0666), 0);
	for (int i = 0; i < OPENING_USER_MAX; i++)
		cr_assert_eq(start_as(&fifos[i], NOBODY), 0);
	cr_expect_eq(start_as(&other, NOBODY), -EUSERS);
	cr_assert_eq(start_as(&other, NOBODY - 1), 0);
	cr_expect_eq(cancelled(&other), -EINTR);
	for (int i = 0; i < OPENING_USER_MAX; i++)
		cr_assert_eq(cancelled(&fifos[i]), -EINTR);
	wait_threads();
	cr_assert_eq(start_as(&other, NOBODY), 0);
	cr_expect_eq(cancelled(&other), -EINTR);
}

/* ---- descriptors that were passed ---- */

static int pass(enum port_dir dir, int fd)
{
	cr_assert_geq(fd, 0);
	prepare_passed(&last, dir, fd);
	begin(&last);
	return wait_done(&last);
}

/* Whoever has opened them: they ask who reads and writes, and get the daemon. */
Test(opener, files_of_the_kernel_that_were_passed_are_refused_and_closed)
{
	static const char *const names[] = { "/proc/self/stat", "/proc/self/comm",
					     "/sys/kernel/mm/transparent_hugepage/enabled",
					     "/sys/fs/cgroup/cgroup.procs" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = open(names[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 && i > 1)
			continue;
		cr_expect_eq(pass(PORT_SOURCE, fd), -EXDEV, "%s", names[i]);
		expect_why("answers to who reads or writes it");
		cr_expect_lt(fcntl(fd, F_GETFD), 0, "%s is still open", names[i]);
	}
	cr_expect_eq(pass(PORT_SINK, open("/proc/self/comm", O_WRONLY | O_CLOEXEC)), -EXDEV);
}

Test(opener, tells_where_a_passed_file_stands)
{
	int fd;

	make("file", 0600);
	fd = open(path_of("file"), O_RDWR | O_CLOEXEC);
	cr_assert_eq(lseek(fd, 7, SEEK_SET), 7);
	cr_assert_eq(pass(PORT_SOURCE, fd), 0, "%s", last.o.why);
	cr_expect_eq(last.o.opened.fd, fd);
	cr_expect_eq(last.o.opened.position, 7);
	close(fd);
}

Test(opener, what_cannot_be_read_or_written_is_not_taken)
{
	make("file", 0600);
	cr_expect_eq(pass(PORT_SINK, open(path_of("file"), O_RDONLY | O_CLOEXEC)), -EBADF);
	cr_expect_eq(pass(PORT_SOURCE, open(path_of("file"), O_WRONLY | O_CLOEXEC)), -EBADF);
	cr_expect_eq(pass(PORT_SOURCE, open(path_of("file"), O_PATH | O_CLOEXEC)), -EBADF);
	prepare_passed(&last, PORT_SOURCE, open(path_of("file"), O_RDONLY | O_CLOEXEC));
	last.o.mount = device_of("file");
	begin(&last);
	cr_expect_eq(wait_done(&last), -ELOOP);
}

static void *open_peer(void *arg)
{
	int *peer = arg;

	poll(NULL, 0, 100); /* the engine is on its way to its end */
	*peer = open(path_of("fifo"), O_RDWR | O_CLOEXEC);
	return NULL;
}

/* A thread that comes back when the engine is told to end already posts to a loop that is there. */
Test(opener, the_engine_ends_after_what_its_openings_tell)
{
	static struct call calls[5];
	pthread_t thread;
	int peer = -1;

	cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
	for (int i = 0; i < 5; i++) {
		prepare_here(&calls[i], PORT_SOURCE, "file", "fifo");
		begin(&calls[i]);
	}
	cr_assert_eq(pthread_create(&thread, NULL, open_peer, &peer), 0);
	engine_destroy(opening_fixture.engine);
	opening_fixture.engine = NULL;
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(atomic_load(&calls[i].dones), 1, "opening %d has not told", i);
		cr_assert_eq(calls[i].o.err, 0);
		close(calls[i].o.opened.fd);
	}
	pthread_join(thread, NULL);
	close(peer);
}

/* ---- cameras: real ones are in tests/vm ---- */

Test(opener, what_is_no_camera_is_refused)
{
	cr_expect_lt(open_uri(PORT_SOURCE, "v4l2:/dev/null"), 0);
	cr_expect_lt(last.o.err, 0);
	cr_expect_eq(open_uri(PORT_SOURCE, "v4l2:/dev/no-such-camera"), -ENOENT);
}
