#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "rights.h"

#define NOBODY 65534

static void start(void)
{
	if (geteuid() != 0)
		cr_skip("other namespaces and users need root");
}

TestSuite(rights_view, .init = start, .timeout = 60);

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

/* A process that has gone elsewhere: chroot(2) to @chroot_to unless NULL, unshare(2) of @flags. */
static pid_t differing(const char *chroot_to, int flags)
{
	int ready[2];
	pid_t child;
	char c = 1;

	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		c = (char)(unshare(flags) < 0 || (chroot_to && chroot(chroot_to) < 0));
		if (write(ready[1], &c, 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	cr_assert_eq(c, 0, "cannot set up the process");
	return child;
}

static int same_view(pid_t pid)
{
	_cleanup_fd_ int process = rights_open_process(pid);

	return rights_same_view(process);
}

static int view_of(const char *chroot_to, int flags)
{
	pid_t child = differing(chroot_to, flags);
	int err = same_view(child);

	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return err;
}

Test(rights_view, a_view_is_the_same_or_not)
{
	cr_assert_eq(rights_remember_view(), 0);
	cr_expect_eq(same_view(getpid()), 0);
	cr_expect_eq(same_view(getppid()), 0);
	cr_expect_eq(view_of(NULL, 0), 0);
	cr_expect_eq(view_of(NULL, CLONE_NEWNS), -EXDEV);
	cr_expect_eq(view_of(NULL, CLONE_NEWNET), -EXDEV);
	cr_expect_eq(view_of("/tmp", 0), -EXDEV);
	cr_expect_eq(view_of("/proc", 0), -EXDEV);
	cr_expect_eq(same_view(0), -ESRCH);
	cr_expect_eq(same_view(0x7fffffff), -ESRCH);
}

/* A daemon that has entered its own namespaces (fs/mount.c) is asked about one that has not. */
static int look_from_inside(void)
{
	pid_t peer = fork();
	int err;

	if (peer == 0) {
		pause();
		_exit(0);
	}
	err = rights_remember_view();
	if (err == 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		err = -EPERM;
	if (err == 0)
		err = same_view(peer);
	if (err == 0 && same_view(getpid()) != -EXDEV)
		err = -EIO;
	kill(peer, SIGKILL);
	return -err;
}

Test(rights_view, the_view_is_that_of_the_start)
{
	cr_expect_eq(as_nobody(look_from_inside), 0);
}

static int look_at_root(void)
{
	int err = rights_remember_view();

	return -(err ? err : same_view(getppid()));
}

Test(rights_view, a_process_that_may_not_be_traced_can_be_looked_at)
{
	cr_expect_eq(as_nobody(look_at_root), 0);
}

static uint64_t capabilities_of(pid_t pid, uid_t uid)
{
	_cleanup_fd_ int process = rights_open_process(pid);
	struct rights r = { .uid = uid, .pid = pid, .caps = RIGHTS_ALL };

	rights_see_capabilities(&r, process);
	return r.caps;
}

Test(rights_view, roots_capabilities_count_in_the_same_user_namespace_alone)
{
	pid_t child;

	cr_assert_eq(rights_remember_view(), 0);
	cr_expect(capabilities_of(getpid(), 0) & RIGHT(CAP_DAC_OVERRIDE));
	cr_expect_eq(capabilities_of(getpid(), NOBODY), 0);
	cr_expect_eq(capabilities_of(0, 0), 0);
	cr_expect_eq(capabilities_of(0x7fffffff, 0), 0);
	child = differing(NULL, CLONE_NEWUSER);
	cr_expect_eq(capabilities_of(child, 0), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

Test(rights_view, a_process_that_has_gone_is_not_taken_for_another)
{
	pid_t child = differing(NULL, 0);
	_cleanup_fd_ int process = rights_open_process(child);

	cr_assert_eq(rights_remember_view(), 0);
	cr_expect_eq(rights_same_view(process), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_expect_eq(rights_same_view(process), -ESRCH);
}
