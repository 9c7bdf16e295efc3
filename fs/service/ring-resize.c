/*
 * An open of the daemon's own would pass for a reader or writer: it would wake a peer that waits in open(2), and close
 * on it. So the scan says who has the FIFO open, and pidfd_getfd(2) copies a descriptor of theirs, on the helper's
 * thread. That takes CAP_SYS_PTRACE over them: root's daemon has it, one in a user namespace of its own has not
 * (commoncap.c, cap_ptrace_access_check).
 *
 * A process may have closed the descriptor since, or have another file there: only a FIFO of this inode is touched.
 */
#include "ring-resize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "deferred-close.h"
#include "base.h"
#include "log.h"
#include "pipe.h"
#include "services.h"

static void ring_say_once(int err)
{
	static atomic_bool said;

	if (!atomic_exchange(&said, true))
		log_warn(
			"no right to the descriptors of other processes, so rings that they have open keep their size: %s",
			strerror(-err));
}

/* Not asked of the file system, which may hang. */
static bool ring_is_of(const struct ring_resize *r, int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) == 0 &&
	       S_ISFIFO(st.stx_mode) && st.stx_ino == r->hold.inode->ino &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == r->hold.ctx->dev;
}

/* A copy of the descriptor, or a negative errno. */
static int ring_copy_holder(const struct descriptor_scan_holder *h)
{
	_cleanup_fd_ int process = (int)syscall(SYS_pidfd_open, h->pid, 0);
	int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, h->fd, 0);

	return fd < 0 ? -errno : fd;
}

static void ring_work_resize(struct job *job)
{
	struct ring_resize *r = container_of(job, struct ring_resize, job);

	for (size_t i = 0; i < r->count; i++) {
		int fd = ring_copy_holder(&r->holders[i]);
		int size;

		if (fd == -EPERM || fd == -EACCES)
			ring_say_once(fd);
		if (fd < 0)
			continue;
		if (!ring_is_of(r, fd)) {
			deferred_close(&fd, geteuid());
			continue;
		}
		size = r->size ? pipe_fit(fd, r->size) : pipe_size(fd);
		close(fd);
		r->err = size < 0 ? size : 0;
		r->granted = size < 0 ? 0 : size;
		return;
	}
}

static void ring_resized(struct job *job)
{
	struct ring_resize *r = container_of(job, struct ring_resize, job);
	struct hold hold = r->hold;

	r->done(r);
	hold_drop(&hold);
}

static void ring_scanned(struct descriptor_scan_waiter *w)
{
	struct ring_resize *r = container_of(w, struct ring_resize, waiter);
	struct context *ctx = r->hold.ctx;
	const struct node *node = node_name(r->hold.node);
	struct descriptor_scan_count ignored;

	if (r->size && !descriptor_scan_count(ctx->services->scan, node, &ignored))
		ring_say_once(-EPERM);
	if (r->size && node->inode->ring_size)
		r->size = node->inode->ring_size;
	r->count = descriptor_scan_holders(ctx->services->scan, node, r->holders, RING_RESIZE_HOLDERS);
	job_post(ctx, ctx->helper, &r->job, ring_work_resize, ring_resized);
}

void ring_resize_start(struct ring_resize *r, const struct hold *hold, int size, void (*done)(struct ring_resize *))
{
	*r = (struct ring_resize){ .size = size, .done = done, .waiter = { .done = ring_scanned, .anew = true } };
	hold_copy(&r->hold, hold);
	descriptor_scan_want(hold->ctx->services->scan, &r->waiter);
}
