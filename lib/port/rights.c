/*
 * The system calls are made directly: glibc's setresuid() and its kin change every thread of the process.
 *
 * What a process sees is told from files of /proc that everybody may read. Its links root and ns/ are not: they
 * ask for the right to trace the process, which a daemon in a user namespace of its own never has over those
 * outside (commoncap.c, cap_ptrace_access_check), and root in a container may not have over others. Instead:
 *
 *   mountinfo  the id of the mount at '/', unique among all mounts of the machine (fs/namespace.c), names the
 *              mount namespace and the root folder at once: a process that has changed root to another folder
 *              either has no mount at '/', or another one
 *   net/dev    a file of its own for each network namespace (fs/proc/proc_net.c): its inode number
 */
#include "rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "log.h"

/* 32-bit machines: the plain ones take ids of 16 bits. */
#ifdef SYS_setresuid32
#define CALL_setgroups SYS_setgroups32
#define CALL_setresgid SYS_setresgid32
#define CALL_setresuid SYS_setresuid32
#define CALL_setfsgid SYS_setfsgid32
#define CALL_setfsuid SYS_setfsuid32
#else
#define CALL_setgroups SYS_setgroups
#define CALL_setresgid SYS_setresgid
#define CALL_setresuid SYS_setresuid
#define CALL_setfsgid SYS_setfsgid
#define CALL_setfsuid SYS_setfsuid
#endif

/* No user's: those of nobody (65534) may belong to some process, which might signal the daemon. */
#define NO_UID ((uid_t)-2)
#define NO_GID ((gid_t)-2)

struct view {
	int root; /* mount id, 0 where '/' is no mount */
	dev_t net_dev;
	ino_t net_ino;
};

/* Written once, before there are threads. */
static struct view own;

int rights_copy(struct rights *to, const struct rights *from)
{
	*to = *from;
	to->groups = NULL;
	if (!from->count)
		return 0;
	to->groups = calloc(from->count, sizeof(*to->groups));
	if (!to->groups)
		return -ENOMEM;
	memcpy(to->groups, from->groups, from->count * sizeof(*to->groups));
	return 0;
}

void rights_finish(struct rights *r)
{
	free(r->groups);
	*r = (struct rights){ 0 };
}

struct capabilities {
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static int rights_get_capabilities(struct capabilities *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, caps->data) < 0 ? -errno : 0;
}

static int rights_set_capabilities(const struct capabilities *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, caps->data) < 0 ? -errno : 0;
}

/* The kernel does so itself when the effective user is root no more, unless the securebits say otherwise. */
static int rights_drop_capabilities(void)
{
	return rights_set_capabilities(&(struct capabilities){ 0 });
}

int rights_take(const struct rights *r)
{
	if (geteuid() != 0)
		return r->uid == geteuid() ? 0 : -EPERM;
	if (syscall(CALL_setgroups, r->count, r->groups) < 0)
		return -errno;
	if (syscall(CALL_setresgid, -1, r->gid, -1) < 0)
		return -errno;
	if (r->uid == 0)
		return 0;
	if (syscall(CALL_setresuid, -1, r->uid, -1) < 0)
		return -errno;
	return rights_drop_capabilities();
}

/* ---- for a moment ---- */

/* Of a thread: what rights_lend() changes. */
struct thread_rights {
	gid_t *groups;
	size_t count;
	gid_t gid;
	struct capabilities caps;
};

static int rights_of_thread(struct thread_rights *t)
{
	int n = getgroups(0, NULL);

	t->gid = getegid();
	t->count = n > 0 ? (size_t)n : 0;
	t->groups = calloc(t->count + 1, sizeof(*t->groups));
	if (!t->groups)
		return -ENOMEM;
	if (n < 0 || getgroups(n, t->groups) != n)
		return -errno;
	return rights_get_capabilities(&t->caps);
}

/* They return what was before, whatever comes of it: so they are asked again. */
static int rights_set_fs_ids(uid_t uid, gid_t gid)
{
	syscall(CALL_setfsgid, gid);
	syscall(CALL_setfsuid, uid);
	return (gid_t)syscall(CALL_setfsgid, -1) == gid && (uid_t)syscall(CALL_setfsuid, -1) == uid ? 0 : -EPERM;
}

/* A thread with the rights of somebody else must not go on. */
static void rights_take_back(const struct thread_rights *t)
{
	if (rights_set_capabilities(&t->caps) == 0 && rights_set_fs_ids(geteuid(), t->gid) == 0 &&
	    syscall(CALL_setgroups, t->count, t->groups) == 0)
		return;
	log_err("cannot have the daemon's own rights again: %s", strerror(errno));
	abort();
}

int rights_lend(const struct rights *r, int (*call)(void *data), void *data)
{
	struct thread_rights before = { 0 };
	struct capabilities lent;
	int err;

	if (geteuid() != 0)
		return call(data);
	err = rights_of_thread(&before);
	if (err == 0 && syscall(CALL_setgroups, r->count, r->groups) < 0)
		err = -errno;
	if (err < 0) {
		free(before.groups);
		return err;
	}
	lent = before.caps;
	for (size_t i = 0; r->uid != 0 && i < _LINUX_CAPABILITY_U32S_3; i++)
		lent.data[i].effective = 0;
	err = rights_set_fs_ids(r->uid, r->gid);
	if (err == 0)
		err = rights_set_capabilities(&lent);
	if (err == 0)
		err = call(data);
	rights_take_back(&before);
	free(before.groups);
	return err;
}

int rights_shed(void)
{
	const uint32_t shed = CAP_TO_MASK(CAP_FSETID) | CAP_TO_MASK(CAP_SYS_RESOURCE);
	struct capabilities caps;
	int err;

	if (geteuid() != 0)
		return 0;
	err = rights_get_capabilities(&caps);
	if (err < 0)
		return err;
	caps.data[0].effective &= ~shed;
	caps.data[0].permitted &= ~shed;
	caps.data[0].inheritable &= ~shed;
	err = rights_set_capabilities(&caps);
	if (err == 0 && (syscall(CALL_setresgid, NO_GID, -1, -1) < 0 || syscall(CALL_setresuid, NO_UID, -1, -1) < 0))
		err = -errno;
	return err;
}

static int rights_read_root(const char *path, int *root)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return -ESRCH;
	*root = 0;
	while (getline(&line, &size, f) >= 0) {
		char slash, space;
		int id;

		/* The last one is on top. */
		if (sscanf(line, "%d %*d %*s %*s %c%c", &id, &slash, &space) == 3 && slash == '/' && space == ' ')
			*root = id;
	}
	fclose(f);
	return 0;
}

static int rights_read_view(const char *process, struct view *view)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/net/dev", process);
	if (stat(path, &st) < 0)
		return -ESRCH;
	view->net_dev = st.st_dev;
	view->net_ino = st.st_ino;
	snprintf(path, sizeof(path), "/proc/%s/mountinfo", process);
	return rights_read_root(path, &view->root);
}

int rights_remember_view(void)
{
	return rights_read_view("self", &own);
}

int rights_same_view(pid_t pid)
{
	char process[16];
	struct view view;
	int err;

	if (pid <= 0)
		return -ESRCH;
	snprintf(process, sizeof(process), "%d", pid);
	err = rights_read_view(process, &view);
	if (err < 0)
		return err;
	return own.root && view.root == own.root && view.net_dev == own.net_dev && view.net_ino == own.net_ino ? 0 :
														 -EXDEV;
}
