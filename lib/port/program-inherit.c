/*
 * The thread, not the process: keys are looked for in the daemon's own session keyring for as long as it runs, by file systems
 * that it opens files of.
 */
#include "program-inherit.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stddef.h>
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

int program_inherits(struct attempt *a)
{
	return inherit_keys(a);
}
