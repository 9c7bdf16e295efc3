/*
 * The system calls are made directly: glibc's setresuid() and its kin change every thread of the process.
 */
#include "rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

/* What the calling thread has of @kept. */
static int rights_keep_capabilities(uint64_t kept)
{
	struct capabilities caps;
	int err = rights_get_capabilities(&caps);

	if (err < 0)
		return err;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		caps.data[i].effective &= (uint32_t)(kept >> 32 * i);
		caps.data[i].permitted &= (uint32_t)(kept >> 32 * i);
		caps.data[i].inheritable &= (uint32_t)(kept >> 32 * i);
	}
	return rights_set_capabilities(&caps);
}

/*
 * None is in effect, and what the calling thread has of @kept may be again. As long as it has more than the user who has its
 * effective id, he may not slow it down (cap_safe_nice() in security/commoncap.c); root of a user namespace has as much.
 */
static int rights_keep_for_later(uint64_t kept)
{
	struct capabilities caps;
	int err = rights_keep_capabilities(kept);

	if (err == 0)
		err = rights_get_capabilities(&caps);
	if (err < 0)
		return err;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		caps.data[i].effective = caps.data[i].inheritable = 0;
	return rights_set_capabilities(&caps);
}

int rights_check(const struct rights *r)
{
	return geteuid() == 0 || r->uid == geteuid() ? 0 : -EPERM;
}

int rights_take_groups(const struct rights *r)
{
	return geteuid() == 0 && syscall(CALL_setgroups, r->count, r->groups) < 0 ? -errno : 0;
}

int rights_take(const struct rights *r)
{
	int err = rights_check(r);

	if (err < 0 || geteuid() != 0)
		return err;
	err = rights_take_groups(r);
	if (err < 0)
		return err;
	if (syscall(CALL_setresgid, -1, r->gid, -1) < 0)
		return -errno;
	if (r->uid != 0 && syscall(CALL_setresuid, -1, r->uid, -1) < 0)
		return -errno;
	return r->uid == 0 ? rights_keep_capabilities(r->caps) : rights_keep_for_later(RIGHT(CAP_SYS_NICE));
}

void rights_give_back(void)
{
	struct sched_param param;
	uid_t real, effective, saved;
	cpu_set_t cpus;
	pid_t first = getpid();

	if (getresuid(&real, &effective, &saved) < 0 || effective == saved)
		return;
	/* What was kept for later is in effect with this (capabilities(7)). */
	if (syscall(CALL_setresuid, -1, saved, -1) < 0 || sched_getparam(first, &param) < 0)
		return;
	sched_setscheduler(0, sched_getscheduler(first), &param);
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, (id_t)first)); /* of threads, on Linux */
	if (sched_getaffinity(first, sizeof(cpus), &cpus) == 0)
		sched_setaffinity(0, sizeof(cpus), &cpus);
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
	log_abort("cannot have the daemon's own rights again: %s", strerror(errno));
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
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		lent.data[i].effective &= r->uid == 0 ? (uint32_t)(r->caps >> 32 * i) : 0;
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
	int err;

	if (geteuid() != 0)
		return 0;
	err = rights_keep_capabilities(~(RIGHT(CAP_FSETID) | RIGHT(CAP_SYS_RESOURCE)));
	if (err < 0)
		return err;
	if (syscall(CALL_setresgid, NO_GID, -1, -1) < 0 || syscall(CALL_setresuid, NO_UID, -1, -1) < 0)
		return -errno;
	return 0;
}
