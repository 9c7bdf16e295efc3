/*
 * An open of the daemon's own would pass for a reader or writer: it would wake a peer that waits in open(2), and close
 * on it. So the scan says who has the FIFO open, and pidfd_getfd(2) copies a descriptor of theirs. The pipe's lock is
 * needed to resize it, to look at its size and to close the copy, and a process that execs can be copied from later only:
 * so it is an errand. It takes CAP_SYS_PTRACE over them: root's daemon has it, one in a user namespace of its own has not
 * (commoncap.c, cap_ptrace_access_check).
 *
 * A process may have closed the descriptor since, or have another file there: only a FIFO of this inode is touched.
 */
#include "ring-look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "log.h"
#include "pipe.h"
#include "services.h"

void ring_look_say_blind(int err)
{
	static atomic_bool said;

	if (!atomic_exchange(&said, true))
		log_warn(
			"no right to the descriptors of other processes, so rings that they have open keep their size: %s",
			strerror(-err));
}

/* Not asked of the file system, which may hang. */
static bool ring_look_is_of(const struct ring_look *l, int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) == 0 &&
	       S_ISFIFO(st.stx_mode) && st.stx_ino == l->ino && makedev(st.stx_dev_major, st.stx_dev_minor) == l->dev;
}

/* A copy of the descriptor, or a negative errno. */
static int ring_look_copy(const struct descriptor_scan_holder *h)
{
	_cleanup_fd_ int process = (int)syscall(SYS_pidfd_open, h->pid, 0);
	int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, h->fd, 0);

	return fd < 0 ? -errno : fd;
}

static void ring_look_run(struct errand *e)
{
	struct ring_look *l = container_of(e, struct ring_look, errand);

	for (size_t i = 0; i < l->count; i++) {
		_cleanup_fd_ int fd = ring_look_copy(&l->holders[i]);
		int size;

		if (fd == -EPERM || fd == -EACCES)
			ring_look_say_blind(fd);
		if (fd < 0 || !ring_look_is_of(l, fd))
			continue;
		size = l->size ? pipe_fit(fd, l->size) : pipe_size(fd);
		l->err = size < 0 ? size : 0;
		l->granted = size < 0 ? 0 : size;
		return;
	}
}

static void ring_look_free(struct errand *e)
{
	free(container_of(e, struct ring_look, errand));
}

struct ring_look *ring_look_create(struct context *ctx, const struct node *node, void (*done)(struct errand *e))
{
	struct ring_look *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct ring_look){
		.errand = { .run = ring_look_run,
			    .done = done,
			    .free = ring_look_free,
			    .loop = ctx->loop,
			    .uid = node->inode->uid },
		.ino = node->inode->ino,
		.dev = ctx->dev,
	};
	l->count = descriptor_scan_holders(ctx->services->scan, node, l->holders, RING_LOOK_HOLDERS);
	return l;
}
