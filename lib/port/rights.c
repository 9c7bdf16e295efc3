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

/* 32-bit machines: the plain ones take ids of 16 bits. */
#ifdef SYS_setresuid32
#define CALL_setgroups SYS_setgroups32
#define CALL_setresgid SYS_setresgid32
#define CALL_setresuid SYS_setresuid32
#else
#define CALL_setgroups SYS_setgroups
#define CALL_setresgid SYS_setresgid
#define CALL_setresuid SYS_setresuid
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

/* The kernel does so itself when the effective user is root no more, unless the securebits say otherwise. */
static int rights_drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
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

int rights_shed(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	const uint32_t shed = CAP_TO_MASK(CAP_FSETID) | CAP_TO_MASK(CAP_SYS_RESOURCE);

	if (geteuid() != 0)
		return 0;
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	data[0].effective &= ~shed;
	data[0].permitted &= ~shed;
	data[0].inheritable &= ~shed;
	if (syscall(SYS_capset, &header, data) < 0 || syscall(CALL_setresgid, NO_GID, -1, -1) < 0 ||
	    syscall(CALL_setresuid, NO_UID, -1, -1) < 0)
		return -errno;
	return 0;
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
