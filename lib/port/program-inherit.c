/*
 * The thread, not the process: keys are looked for in the daemon's own session keyring for as long as it runs, by file systems
 * that it opens files of.
 */
#include "program-inherit.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"

/*
 * An empty session keyring of the user's own. Who possesses one may use what is in it, whoever he is: the daemon's may have
 * keys of root. The other keyrings are not inherited (of a thread, of a process), or those of the user that the program
 * becomes. An ordinary user's are his own.
 */
static int inherit_keys(struct attempt *a)
{
	if (geteuid() != 0)
		return 0;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS && errno != EPERM &&
	    errno != EACCES) /* (where there are no keys, or are none to be had: a container's) */
		return -errno;
	/* His to count as well: few are nobody's. */
	if (syscall(SYS_keyctl, KEYCTL_CHOWN, KEY_SPEC_SESSION_KEYRING, a->rights.uid, a->rights.gid) < 0 &&
	    errno == EDQUOT)
		return uri_refuse(a->why, -EDQUOT, "you have too many keys for a keyring of its own");
	return 0;
}

/*
 * Nobody's program comes before what others do, however the daemon does. Of the thread, on Linux: the same for each, whatever the
 * opening has made of it. Where the daemon may not, it stays behind.
 */
static void inherit_priority(void)
{
	int nice = getpriority(PRIO_PROCESS, (id_t)getpid());
	long disk = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);

	setpriority(PRIO_PROCESS, 0, nice > 0 ? nice : 0);
	if (disk >= 0 && IOPRIO_PRIO_CLASS(disk) == IOPRIO_CLASS_RT)
		syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0));
}

int program_inherits(struct attempt *a)
{
	int err = rights_take_groups(&a->rights);

	inherit_priority();
	return err < 0 ? err : inherit_keys(a);
}

/* Not the thread's, which has locks to take yet. */
int program_scheduling(posix_spawnattr_t *attributes, short *flags)
{
	const struct sched_param param = { 0 };
	int policy = sched_getscheduler(0), err;

	if (policy < 0 || policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE)
		return 0;
	*flags |= POSIX_SPAWN_SETSCHEDULER;
	err = posix_spawnattr_setschedpolicy(attributes, SCHED_OTHER);
	return err ? -err : -posix_spawnattr_setschedparam(attributes, &param);
}
