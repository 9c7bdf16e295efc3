/*
 * The rights of who asked for something: user, group and supplementary groups, to be taken on by a thread
 * that acts on their behalf.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct rights {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t count;
	pid_t pid; /* who asked, or 0 */
};

/* Returns 0 or -ENOMEM; then @to owes rights_finish(). */
int rights_copy(struct rights *to, const struct rights *from);

void rights_finish(struct rights *r);

/*
 * The calling thread, and it alone, acts as @r from now on: effective ids and groups, and no capabilities unless
 * @r is root. The real and saved ids stay the daemon's, so @r's user may not signal the thread (kill(2)). Not
 * undone: the thread ends after its work, also after an error. An ordinary user's daemon has that user's rights
 * already, and nobody else's. Returns 0, or -EPERM where the daemon may not.
 */
int rights_take(const struct rights *r);

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
 * Whether paths and addresses mean the same to process @pid: it has the same root folder, mount and network
 * namespace. Returns 0, -EXDEV, or -ESRCH where @pid cannot be looked at. A daemon whose root folder is no mount
 * of its own (a bare chroot) cannot tell, and says -EXDEV.
 */
int rights_same_view(pid_t pid);
