/*
 * The rights of who asked for something: user, group, supplementary groups and what capabilities root has, to be taken on
 * by a thread that acts on their behalf.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rights {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* ascending */
	size_t count;
	pid_t pid;     /* who asked, or 0 */
	uint64_t caps; /* of root alone: the effective capabilities, by number (capabilities(7)) */
};

/* A capability, CAP_..., in @caps; and all of them, as the daemon's own words have. */
#define RIGHT(cap) (UINT64_C(1) << (cap))
#define RIGHTS_ALL UINT64_MAX

static inline bool rights_have(const struct rights *r, int cap)
{
	return r->caps & RIGHT(cap);
}

/* Returns 0 or -ENOMEM; then @to owes rights_finish(). */
int rights_copy(struct rights *to, const struct rights *from);

void rights_finish(struct rights *r);

/* Whether the daemon may act as @r at all: root's as everybody, another user's as him alone. Returns 0 or -EPERM. */
int rights_check(const struct rights *r);

/*
 * The calling thread, and it alone, acts as @r from now on: effective ids and groups, and of its capabilities those
 * that @r has, who is root then. The real and saved ids stay the daemon's, so @r's user may not signal the thread (kill(2)).
 * Nor may he slow it down (sched_setscheduler(2)), unless from a user namespace of his own: so a lock that others need is
 * taken after rights_give_back(). Otherwise not undone: the thread ends after its work, also after an error. An ordinary
 * user's daemon has that user's rights already, and nobody else's. Returns 0, or -EPERM where the daemon may not.
 */
int rights_take(const struct rights *r);

/*
 * The calling thread, and it alone, has the supplementary groups of @r from now on, for a process that it starts, and is root's all the
 * same. Of root's daemon; no-op in another's. Returns 0 or a negative errno.
 */
int rights_take_groups(const struct rights *r);

/*
 * Takes the calling thread away from the user whose rights it took, if it did: his it is no more, and it is scheduled as the
 * daemon's first thread is, whatever he has made of it (that takes CAP_SYS_NICE; where the daemon has not got that, it stays
 * as it is). It has no capabilities to do more with; the groups stay. Never blocks.
 */
void rights_give_back(void);

/*
 * Calls @call(@data) with what the kernel asks of who reads and writes: @r's user and groups of the file system, and no
 * capabilities unless @r is root. The effective ids stay the daemon's, for whoever has a thread's may slow it down
 * (sched_setscheduler(2)), and this one goes on for others. On the calling thread alone; @call must not wait. Returns
 * what @call returns, or a negative errno and it was not called. An ordinary user's daemon has no rights but its own, and
 * calls with them.
 */
int rights_lend(const struct rights *r, int (*call)(void *data), void *data);

/*
 * The process lets go of what it would lend with every byte that it moves for somebody, because the kernel asks it of
 * who writes and not of who has opened: writing past quotas and into reserved blocks (CAP_SYS_RESOURCE), without
 * taking the set-user-ID bit off the file (CAP_FSETID), and the name of root in the credentials of what a unix socket
 * is sent (the real ids, see unix(7), SCM_CREDENTIALS). For root's daemon, before there are threads. Returns 0 or a
 * negative errno; -EINVAL where the user namespace has no ids of nobody, so that the real ids stay.
 */
int rights_shed(void);

/*
 * Remembers what paths and addresses mean to the daemon as it was started; before it enters namespaces of its
 * own, and before there are threads. Returns 0, or a negative errno where /proc does not say.
 */
int rights_remember_view(void);

/*
 * The process @pid as those below want it: /proc/PID, which stays what it is though the number becomes another's. Returns
 * a descriptor, -ESRCH where it has gone or is not to be seen, or -EMFILE, -ENFILE or -ENOMEM.
 */
int rights_open_process(pid_t pid);

/* What the errno @err of such a look is told as: that the daemon lacks room for it, -EMFILE, -ENFILE or -ENOMEM, or -ESRCH. */
int rights_unseen(int err);

/*
 * Whether paths and addresses mean the same to @process: it has the same root folder, mount and network
 * namespace. Returns 0, -EXDEV, -ESRCH where it cannot be looked at, or -EMFILE, -ENFILE, -ENOMEM. A daemon whose root folder is no mount
 * of its own (a bare chroot) cannot tell, and says -EXDEV. Takes the longer, the more mounts there are.
 */
int rights_same_view(int process);

/*
 * By what @process may be kept from paths that its user may open, and the daemon would open for it; static. NULL: nothing
 * is to be seen. Landlock shows nothing of itself, but asks for no_new_privs (or for CAP_SYS_ADMIN) before.
 */
const char *rights_confined(int process);

/*
 * The supplementary groups of the thread @pid, ascending: *groups is the caller's. None where it is not to be seen, as from
 * another pid namespace. Takes the longer, the more there are, up to 65536. Returns 0, or -EMFILE, -ENFILE or -ENOMEM; never
 * a part of them.
 */
int rights_read_groups(pid_t pid, gid_t **groups, size_t *count);

/*
 * Fills in what capabilities @r has, by @process, which @r->pid is the number of: none, unless it is root in the daemon's
 * own user namespace. Bounded work.
 */
void rights_see_capabilities(struct rights *r, int process);
