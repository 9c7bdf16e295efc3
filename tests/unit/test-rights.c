#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "rights.h"

#define NOBODY 65534
#define GROUP 54321 /* of nobody's */

static char dir[] = "/tmp/spfs-rights.XXXXXX";
static char secret[64], shared[64], inner[64];

static void make(const char *path, mode_t mode, gid_t gid)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fchown(fd, 0, gid), 0);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void start(void)
{
	char closed[64];

	if (geteuid() != 0)
		cr_skip("taking on rights needs root");
	cr_assert(mkdtemp(dir));
	cr_assert_eq(chmod(dir, 0755), 0);
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	snprintf(shared, sizeof(shared), "%s/shared", dir);
	snprintf(closed, sizeof(closed), "%s/closed", dir);
	snprintf(inner, sizeof(inner), "%s/closed/open", dir);
	make(secret, 0600, 0);
	make(shared, 0640, GROUP);
	cr_assert_eq(mkdir(closed, 0700), 0);
	make(inner, 0666, 0);
}

static void stop(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_expect_eq(system(command), 0);
}

TestSuite(rights, .init = start, .fini = stop, .timeout = 60);

/* What a thread with somebody's rights finds: 0 or a negative errno each. */
struct found {
	const struct rights *rights;
	int take;
	int secret, shared, inner, write, low_port;
	uid_t real, effective, saved;
	char groups[128];
	char capabilities[32];
};

static int try_open(const char *path, int flags)
{
	_cleanup_fd_ int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

static int try_bind(int port)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = { AF_INET, htons((uint16_t)port), { htonl(INADDR_LOOPBACK) } };

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
}

/* The value of the calling thread's /proc status line @name. */
static void status(const char *name, char *out, size_t max)
{
	FILE *f = fopen("/proc/thread-self/status", "re");
	char line[256];

	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			snprintf(out, max, "%.*s", (int)strcspn(line + strlen(name) + 2, "\n"),
				 line + strlen(name) + 2);
	fclose(f);
}

static void *look(void *arg)
{
	struct found *f = arg;

	f->take = rights_take(f->rights);
	f->secret = try_open(secret, O_RDONLY);
	f->shared = try_open(shared, O_RDONLY);
	f->inner = try_open(inner, O_RDONLY);
	f->write = try_open(shared, O_WRONLY);
	f->low_port = try_bind(80);
	getresuid(&f->real, &f->effective, &f->saved);
	status("Groups", f->groups, sizeof(f->groups));
	status("CapEff", f->capabilities, sizeof(f->capabilities));
	return NULL;
}

static struct found found_by(const struct rights *r)
{
	struct found f = { .rights = r };
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, look, &f), 0);
	pthread_join(thread, NULL);
	return f;
}

static int first_free_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int port = 1024;

	if (f) {
		cr_assert_eq(fscanf(f, "%d", &port), 1);
		fclose(f);
	}
	return port;
}

Test(rights, a_thread_with_nobodys_rights_may_not_what_root_may)
{
	struct rights r = { .uid = NOBODY, .gid = NOBODY };
	struct found f = found_by(&r);

	cr_expect_eq(f.take, 0);
	cr_expect_eq(f.secret, -EACCES);
	cr_expect_eq(f.shared, -EACCES);
	cr_expect_eq(f.inner, -EACCES);
	cr_expect_eq(f.write, -EACCES);
	if (first_free_port() > 80)
		cr_expect_eq(f.low_port, -EACCES);
	else
		cr_expect_neq(f.low_port, -EACCES);
	cr_expect(f.real == 0 && f.effective == NOBODY && f.saved == 0);
	cr_expect_str_eq(f.capabilities, "0000000000000000");
	cr_expect_eq(strspn(f.groups, " "), strlen(f.groups), "groups: %s", f.groups);
}

Test(rights, supplementary_groups_count)
{
	gid_t groups[] = { GROUP };
	struct rights r = { .uid = NOBODY, .gid = NOBODY, .groups = groups, .count = 1 };
	struct found f = found_by(&r);

	cr_expect_eq(f.take, 0);
	cr_expect_eq(f.shared, 0);
	cr_expect_eq(f.write, -EACCES);
	cr_expect_eq(f.secret, -EACCES);
}

Test(rights, the_group_counts)
{
	struct rights r = { .uid = NOBODY, .gid = GROUP };
	struct found f = found_by(&r);

	cr_expect_eq(f.take, 0);
	cr_expect_eq(f.shared, 0);
	cr_expect_eq(f.secret, -EACCES);
}

Test(rights, root_stays_root)
{
	struct rights r = { .caps = RIGHTS_ALL };
	struct found f = found_by(&r);

	cr_expect_eq(f.take, 0);
	cr_expect_eq(f.secret, 0);
	cr_expect_eq(f.inner, 0);
}

Test(rights, root_has_no_more_capabilities_than_who_asked)
{
	struct rights r = { .caps = RIGHT(CAP_NET_BIND_SERVICE) };
	struct found f;

	cr_assert_eq(chown(secret, NOBODY, NOBODY), 0);
	f = found_by(&r);
	cr_expect_eq(f.take, 0);
	cr_expect_eq(f.secret, -EACCES);
	cr_expect_eq(f.inner, 0); /* its own folder */
	cr_expect_neq(f.low_port, -EACCES);
	cr_expect_str_eq(f.capabilities, "0000000000000400");
	r.caps = 0;
	f = found_by(&r);
	if (first_free_port() > 80)
		cr_expect_eq(f.low_port, -EACCES);
	cr_expect_str_eq(f.capabilities, "0000000000000000");
}

Test(rights, other_threads_are_unaffected)
{
	gid_t groups[] = { GROUP };
	struct rights r = { .uid = NOBODY, .gid = NOBODY, .groups = groups, .count = 1 };
	char before[128] = "", after[128] = "";
	uid_t real, effective, saved;

	status("Groups", before, sizeof(before));
	cr_assert_eq(found_by(&r).take, 0);
	getresuid(&real, &effective, &saved);
	status("Groups", after, sizeof(after));
	cr_expect(real == 0 && effective == 0 && saved == 0);
	cr_expect_eq(getegid(), 0);
	cr_expect_str_eq(before, after);
	cr_expect_eq(try_open(secret, O_RDONLY), 0);
}

static int told, asked;

static void *wait_as_nobody(void *arg)
{
	struct rights r = { .uid = NOBODY, .gid = NOBODY };
	pid_t tid = rights_take(&r) < 0 ? 0 : gettid();
	char c;

	cr_assert_eq(write(told, &tid, sizeof(tid)), sizeof(tid));
	cr_assert_eq(read(asked, &c, 1), 0);
	return NULL;
}

/* A thread that acts as nobody until it is told to go on. */
struct thread_of_nobody {
	int tell[2], ask[2];
	pthread_t thread;
	pid_t tid;
};

static void thread_of_nobody_start(struct thread_of_nobody *t, void *(*run)(void *), void *arg)
{
	cr_assert(pipe2(t->tell, O_CLOEXEC) == 0 && pipe2(t->ask, O_CLOEXEC) == 0);
	told = t->tell[1];
	asked = t->ask[0];
	cr_assert_eq(pthread_create(&t->thread, NULL, run, arg), 0);
	cr_assert_eq(read(t->tell[0], &t->tid, sizeof(t->tid)), sizeof(t->tid));
	cr_assert_gt(t->tid, 0);
}

static void thread_of_nobody_end(struct thread_of_nobody *t)
{
	close(t->ask[1]);
	pthread_join(t->thread, NULL);
	close(t->ask[0]);
	close(t->tell[0]);
	close(t->tell[1]);
}

/* Returns what was done to it, one bit each. */
static int touch(pid_t tid)
{
	const struct sched_param param = { 0 };

	return (syscall(SYS_tkill, tid, 0) == 0) | (sched_setscheduler(tid, SCHED_IDLE, &param) == 0) << 1 |
	       (setpriority(PRIO_PROCESS, (id_t)tid, 19) == 0) << 2;
}

Test(rights, the_user_may_neither_signal_nor_slow_down_the_thread)
{
	struct thread_of_nobody t;
	int status_of;
	pid_t child;

	thread_of_nobody_start(&t, wait_as_nobody, NULL);
	child = fork();
	if (child == 0) {
		if (setgroups(0, NULL) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(127);
		_exit(touch(t.tid));
	}
	cr_assert_eq(waitpid(child, &status_of, 0), child);
	cr_expect_eq(status_of, 0);
	thread_of_nobody_end(&t);
}

struct scheduling {
	int policy, nice;
	cpu_set_t cpus;
};

static struct scheduling scheduling(void)
{
	struct scheduling s = { .policy = sched_getscheduler(0), .nice = getpriority(PRIO_PROCESS, 0) };

	cr_assert_eq(sched_getaffinity(0, sizeof(s.cpus), &s.cpus), 0);
	return s;
}

static struct scheduling given_back;

static void *wait_and_give_back(void *arg)
{
	struct found *f = arg;

	wait_as_nobody(NULL);
	rights_give_back();
	given_back = scheduling();
	getresuid(&f->real, &f->effective, &f->saved);
	return NULL;
}

/* Somebody with a user namespace of his own has slowed it down. */
Test(rights, who_slowed_the_thread_down_has_no_hold_on_it_once_they_are_given_back)
{
	const struct sched_param param = { 0 };
	struct scheduling before = scheduling();
	struct thread_of_nobody t;
	struct found f = { 0 };
	cpu_set_t one;

	thread_of_nobody_start(&t, wait_and_give_back, &f);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	cr_assert_eq(sched_setscheduler(t.tid, SCHED_IDLE, &param), 0);
	cr_assert_eq(setpriority(PRIO_PROCESS, (id_t)t.tid, 19), 0);
	cr_assert_eq(sched_setaffinity(t.tid, sizeof(one), &one), 0);
	thread_of_nobody_end(&t);
	cr_expect(f.real == 0 && f.effective == 0 && f.saved == 0);
	cr_expect_eq(given_back.policy, before.policy);
	cr_expect_eq(given_back.nice, before.nice);
	cr_expect(CPU_EQUAL(&given_back.cpus, &before.cpus));
}

/* Runs @f as nobody in a process of its own; returns what it returned, 0 to 127. */
static int as_nobody(int (*f)(void))
{
	pid_t child = fork();
	int result;

	if (child == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(127);
		_exit(f());
	}
	cr_assert_eq(waitpid(child, &result, 0), child);
	return WIFEXITED(result) ? WEXITSTATUS(result) : 127;
}

static int take_own(void)
{
	struct rights r = { .uid = NOBODY, .gid = NOBODY };

	return -rights_take(&r);
}

static int take_roots(void)
{
	struct rights r = { 0 };

	return -rights_take(&r);
}

Test(rights, an_ordinary_users_daemon_has_but_its_own)
{
	cr_expect_eq(as_nobody(take_own), 0);
	cr_expect_eq(as_nobody(take_roots), EPERM);
}

Test(rights, a_copy_is_its_own)
{
	gid_t groups[] = { 1, 2, 3 };
	struct rights r = { .uid = 4, .gid = 5, .groups = groups, .count = 3, .pid = 6 }, copy;

	cr_assert_eq(rights_copy(&copy, &r), 0);
	cr_expect_neq(copy.groups, groups);
	cr_expect_eq(memcmp(copy.groups, groups, sizeof(groups)), 0);
	cr_expect(copy.uid == 4 && copy.gid == 5 && copy.count == 3 && copy.pid == 6);
	rights_finish(&copy);
	cr_expect_null(copy.groups);
	r = (struct rights){ 0 };
	cr_assert_eq(rights_copy(&copy, &r), 0);
	cr_expect_null(copy.groups);
}

/* ---- for a moment ---- */

struct lent {
	const struct rights *rights;
	int result, secret, shared;
	uid_t effective;
	char fs[64], groups[128], capabilities[32];
	struct found after;
};

static int look_lent(void *data)
{
	struct lent *l = data;

	l->secret = try_open(secret, O_RDONLY);
	l->shared = try_open(shared, O_RDONLY);
	l->effective = geteuid();
	status("Uid", l->fs, sizeof(l->fs));
	status("Groups", l->groups, sizeof(l->groups));
	status("CapEff", l->capabilities, sizeof(l->capabilities));
	return 42;
}

static void *lend(void *arg)
{
	struct lent *l = arg;

	status("Groups", l->after.groups, sizeof(l->after.groups)); /* of before */
	status("CapEff", l->after.capabilities, sizeof(l->after.capabilities));
	l->result = rights_lend(l->rights, look_lent, l);
	l->after.secret = try_open(secret, O_RDONLY);
	l->after.effective = geteuid();
	return NULL;
}

static struct lent lent_by(const struct rights *r)
{
	struct lent l = { .rights = r };
	char groups[128], capabilities[32];
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, lend, &l), 0);
	pthread_join(thread, NULL);
	cr_expect_eq(l.result, 42);
	cr_expect_eq(l.effective, 0, "somebody may slow the thread down");
	cr_expect_eq(l.after.secret, 0);
	cr_expect_eq(l.after.effective, 0);
	status("Groups", groups, sizeof(groups));
	status("CapEff", capabilities, sizeof(capabilities));
	cr_expect_str_eq(l.after.groups, groups);
	cr_expect_str_eq(l.after.capabilities, capabilities);
	return l;
}

Test(rights, are_lent_for_a_moment)
{
	gid_t groups[] = { GROUP };
	struct rights nobody = { .uid = NOBODY, .gid = NOBODY }, member = nobody, root = { .caps = RIGHTS_ALL };
	struct lent l = lent_by(&nobody);

	cr_expect_eq(l.secret, -EACCES);
	cr_expect_eq(l.shared, -EACCES);
	cr_expect_str_eq(l.capabilities, "0000000000000000");
	member.groups = groups;
	member.count = 1;
	l = lent_by(&member);
	cr_expect_eq(l.secret, -EACCES);
	cr_expect_eq(l.shared, 0);
	l = lent_by(&root);
	cr_expect_eq(l.secret, 0);
	cr_expect_str_neq(l.capabilities, "0000000000000000");
	root.caps = 0;
	l = lent_by(&root);
	cr_expect_str_eq(l.capabilities, "0000000000000000");
}
