/*
 * A tap shows its name read-only, but default_permissions lets root pass, and of the open of a FIFO no file system is
 * told: what root writes there would be in that tap alone, or wait for a reader.
 *
 * Before that open, though, the kernel asks for the attributes, which are never valid for longer than the answer that
 * brings them (reply.c), and fails with what it is answered. Meanwhile the opener sleeps in its call, which /proc tells. What
 * is seen so is refused: open(2), openat(2), creat(2), also by way of /proc/PID/fd. What is not passes: openat2(2), whose
 * flags are in the opener's memory; io_uring's openings; and where /proc is not to be seen (an ordinary user's daemon).
 * Nothing else is ever refused for it: no other call with these numbers opens anything.
 *
 * The kernel makes who reads that file wait for up to a tick, and only where the opener is about to fall asleep this very
 * moment. That is root's own thread; nobody else is looked at.
 */
#include "tap-guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "inode.h"
#include "log.h"

/* Who has asked may be awake still, for a moment; or wait for a processor to fall asleep on. */
#define TRIES 100

/* A thread's call, as "257 0xffffff9c 0x7ffe... 0x241 ...". Returns false where it is not known. */
static bool tap_guard_read_call(pid_t tid, long *number, unsigned long args[3])
{
	char path[48], text[160];
	_cleanup_fd_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < TRIES; i++) {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

		text[n > 0 ? n : 0] = '\0';
		if (sscanf(text, "%ld %lx %lx %lx", number, &args[0], &args[1], &args[2]) == 4)
			return true;
		sched_yield();
	}
	return false;
}

static bool tap_guard_writes(unsigned long flags)
{
	return !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

static bool tap_guard_opens(pid_t tid)
{
	unsigned long args[3];
	long number;

	if (!tap_guard_read_call(tid, &number, args))
		return false;
	switch (number) {
#ifdef SYS_open
	case SYS_open:
		return tap_guard_writes(args[1]);
	case SYS_creat:
		return true;
#endif
	case SYS_openat:
		return tap_guard_writes(args[2]);
	default:
		return false;
	}
}

bool tap_guard_refuses(fuse_req_t req, const struct node *node)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	_cleanup_free_ char *path = NULL;

	if (!node_is_tap(node) || caller->uid || caller->pid <= 0)
		return false;
	if (syscall(SYS_tgkill, getpid(), caller->pid, 0) == 0) /* the daemon's own */
		return false;
	if (!tap_guard_opens(caller->pid))
		return false;
	path = node_path(node_name(node));
	log_user_info(caller->uid, "%s: is a tap, which nobody writes, root neither: write to its channel",
		      path ? path : "?");
	return true;
}
