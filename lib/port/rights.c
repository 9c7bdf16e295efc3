/*
 * The system calls are made directly: glibc's setresuid() and its kin change every thread of the process.
 */
#include "rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

/* What the calling thread has of @caps. */
static int rights_keep_capabilities(uint64_t caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t kept = (uint32_t)(caps >> 32 * i);

		data[i].effective &= kept;
		data[i].permitted &= kept;
		data[i].inheritable &= kept;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int rights_take(const struct rights *r)
{
	if (geteuid() != 0)
		return r->uid == geteuid() ? 0 : -EPERM;
	if (syscall(CALL_setgroups, r->count, r->groups) < 0)
		return -errno;
	if (syscall(CALL_setresgid, -1, r->gid, -1) < 0)
		return -errno;
	if (r->uid != 0 && syscall(CALL_setresuid, -1, r->uid, -1) < 0)
		return -errno;
	return rights_keep_capabilities(r->uid == 0 ? r->caps : 0);
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
