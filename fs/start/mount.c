#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "inode.h"
#include "log.h"

int mount_resolve(const char *path, char **resolved)
{
	_cleanup_free_ char *copy = NULL;
	_cleanup_free_ char *parent = NULL;
	char *slash;

	*resolved = realpath(path, NULL);
	if (*resolved)
		return 0;
	if (errno != ENOTCONN)
		return -errno;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	while ((slash = strrchr(copy, '/')) && !slash[1] && slash > copy)
		*slash = '\0';
	if (slash)
		*slash = '\0';
	parent = realpath(slash ? (slash == copy ? "/" : copy) : ".", NULL);
	if (!parent)
		return -errno;
	return asprintf(resolved, "%s/%s", strcmp(parent, "/") ? parent : "", slash ? slash + 1 : copy) < 0 ? -ENOMEM :
													      0;
}

static void mount_exec_fusermount(const char *path)
{
	execlp("fusermount3", "fusermount3", "-u", "-z", "-q", "--", path, (char *)NULL);
	_exit(127);
}

/* Whether the child that was to unmount has done so. */
static int mount_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

static int mount_run_fusermount(const char *path)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		mount_exec_fusermount(path);
	return mount_wait(pid);
}

int mount_clean(const char *path)
{
	if (umount2(path, MNT_DETACH) == 0)
		return 0;
	return errno == EPERM ? mount_run_fusermount(path) : -errno;
}

/* What the child that unmounts is told: to do so, or what to take away if the daemon dies. */
struct mount_order {
	bool unmount;
	struct mount_id guarded;
};

/* The daemon is dead: its mount goes, if it is there and nothing is on top of it. */
static void mount_take_from_dead(const char *point, const struct mount_id *id)
{
	_cleanup_fd_ int mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct mount_id top;

	if (mounts >= 0 && mount_find(mounts, point, NULL, &top) == 0 && mount_same(&top, id))
		mount_clean(point);
}

__attribute__((noreturn)) static void mount_run_unmounter(const struct mount *m, int orders)
{
	struct mount_order order;
	struct mount_id guarded = { 0 };
	sigset_t none;
	int null;

	/* What is sent to the daemon comes here too: from a terminal, or by name. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(orders, 3);
	close_range(4, ~0U, 0);
	/* Who reads what the daemon says until it is ready would wait for the end of this one. */
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	while (read(3, &order, sizeof(order)) == sizeof(order)) {
		if (order.unmount)
			mount_exec_fusermount(m->point);
		guarded = order.guarded;
	}
	if (guarded.id)
		mount_take_from_dead(m->point, &guarded);
	_exit(0);
}

/* A child that stays in the user's mount namespace, and becomes what unmounts there when it is told to. */
static int mount_start_unmounter(struct mount *m)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (pid == 0)
		mount_run_unmounter(m, ends[1]);
	close(ends[1]);
	m->unmounter = ends[0];
	m->unmounter_pid = pid;
	return 0;
}

static int mount_send_order(const struct mount *m, const struct mount_order *order)
{
	return write(m->unmounter, order, sizeof(*order)) < 0 ? -errno : 0;
}

int mount_prepare(struct mount *m)
{
	m->by_child = geteuid() != 0;
	m->spare = open("/dev/null", O_PATH | O_CLOEXEC);
	if (m->spare < 0)
		return -errno;
	return m->by_child || m->guard ? mount_start_unmounter(m) : 0;
}

int mount_note(struct mount *m, const char *type, const struct mount_id *before)
{
	struct mount_id top, typed;
	int err = mount_find(m->mounts, m->point, NULL, &top);

	if (err == 0 && !mount_same(&top, before))
		m->id = top;
	if (err == 0)
		err = mount_find(m->mounts, m->point, type, &typed);
	if (err == 0 && (!m->id.id || !mount_same(&m->id, &typed)))
		err = -EIO;
	return err;
}

int mount_guard(const struct mount *m)
{
	const struct mount_order order = { .guarded = m->id };

	return m->guard ? mount_send_order(m, &order) : 0;
}

static int mount_write_file(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* Becomes root of a user namespace with a mount namespace that hears of no later change. */
static int mount_own_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];
	int err;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	err = mount_write_file("/proc/self/setgroups", "deny");
	if (err == 0)
		err = mount_write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (err == 0)
		err = mount_write_file("/proc/self/gid_map", map);
	if (err == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err = -errno;
	return err;
}

int mount_open_private(struct mount *m)
{
	int err;

	m->tree = open_tree(AT_FDCWD, m->point, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (m->tree >= 0)
		return 0;
	err = m->unmounter < 0 ? mount_start_unmounter(m) : 0;
	if (err < 0)
		return err;
	m->by_child = true;
	err = mount_own_namespace();
	if (err < 0) {
		log_warn("no user namespace (%s): unmounting is busy while taps hold data, and the names of a channel "
			 "with taps all show its mode",
			 strerror(-err));
		inode_unmask();
	}
	m->tree = open(m->point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return m->tree < 0 ? -errno : 0;
}

/* The mount that is on top at the mount point, by a descriptor; whoever serves it is not asked. */
static int mount_open_top(const struct mount *m, struct mount_id *top)
{
	_cleanup_fd_ int fd = open(m->point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx st;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) < 0)
		return -errno;
	*top = (struct mount_id){ (int)st.stx_mnt_id, st.stx_dev_major, st.stx_dev_minor };
	return fd_take(&fd);
}

/* A hundredth of a second each. */
#define SPARE_TRIES 50

/*
 * The two ways to take it away. Each returns 0, -EBUSY where something else is on top of it, or another negative errno.
 * Root's goes by the descriptor that was looked at, so what is mounted over it in that moment is not meant; fusermount3(1)
 * goes by the name, in another mount namespace, and takes away what is the user's alone.
 */
static int mount_take_away(struct mount *m)
{
	struct mount_id top = { 0 };
	_cleanup_fd_ int fd = -1;
	char path[32];

	fd_close(&m->spare);
	/* What was kept for it may be another thread's, which has it for a moment. */
	for (int i = 0; (fd = mount_open_top(m, &top)) == -EMFILE && i < SPARE_TRIES; i++)
		poll(NULL, 0, 10);
	if (fd < 0)
		return fd;
	if (!mount_same(&top, &m->id))
		return -EBUSY;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

static int mount_have_taken_away(const struct mount *m)
{
	const struct mount_order order = { .unmount = true };
	struct mount_id top;
	int err = mount_find(m->mounts, m->point, NULL, &top);

	if (err < 0)
		return err;
	if (!mount_same(&top, &m->id))
		return -EBUSY;
	err = mount_send_order(m, &order);
	return err < 0 ? err : mount_wait(m->unmounter_pid);
}

void mount_leave(struct mount *m)
{
	int err;

	if (m->detached || !mount_exists(m->mounts, &m->id))
		return;
	m->detached = true;
	err = m->by_child ? mount_have_taken_away(m) : mount_take_away(m);
	if (err == -EBUSY)
		log_warn(
			"%s: something else is mounted over it, so it stays below, dead, until that and it are unmounted",
			m->point);
	else if (err < 0)
		log_err("unmounting %s: %s", m->point, strerror(-err));
}

void mount_finish(struct mount *m)
{
	fd_close(&m->tree);
	fd_close(&m->spare);
	fd_close(&m->mounts);
	fd_close(&m->unmounter);
}
