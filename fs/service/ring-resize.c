/*
 * An open of the daemon's own would pass for a reader or writer: it would wake a peer that waits in open(2), and close
 * on it. So the scan says who has the FIFO open, and pidfd_getfd(2) copies a descriptor of theirs. The pipe's lock is
 * needed to resize it, to look at its size and to close the copy, and a process that execs can be copied from later only:
 * so it is an errand. It takes CAP_SYS_PTRACE over them: root's daemon has it, one in a user namespace of its own has not
 * (commoncap.c, cap_ptrace_access_check).
 *
 * A process may have closed the descriptor since, or have another file there: only a FIFO of this inode is touched.
 */
#include "ring-resize.h"

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
#include "clock.h"
#include "errand.h"
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

/* It may come back when nobody waits for it any more. */
struct ring_scan {
	struct descriptor_scan_waiter waiter;
	struct ring_resize *resize; /* NULL: it was given up */
};

/* What the errand works with. */
struct ring_look {
	struct errand errand;
	struct ring_resize *resize; /* of no concern once it is given up */
	ino_t ino;                  /* of the channel */
	dev_t dev;
	int size;
	struct descriptor_scan_holder holders[RING_RESIZE_HOLDERS];
	size_t count;
	int err;
	int granted;
};

/* Not asked of the file system, which may hang. */
static bool ring_is_of(const struct ring_look *l, int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) == 0 &&
	       S_ISFIFO(st.stx_mode) && st.stx_ino == l->ino && makedev(st.stx_dev_major, st.stx_dev_minor) == l->dev;
}

/* A copy of the descriptor, or a negative errno. */
static int ring_copy_holder(const struct descriptor_scan_holder *h)
{
	_cleanup_fd_ int process = (int)syscall(SYS_pidfd_open, h->pid, 0);
	int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, h->fd, 0);

	return fd < 0 ? -errno : fd;
}

static void ring_look_run(struct errand *e)
{
	struct ring_look *l = container_of(e, struct ring_look, errand);

	for (size_t i = 0; i < l->count; i++) {
		_cleanup_fd_ int fd = ring_copy_holder(&l->holders[i]);
		int size;

		if (fd == -EPERM || fd == -EACCES)
			ring_say_once(fd);
		if (fd < 0 || !ring_is_of(l, fd))
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

static void ring_resize_end(struct ring_resize *r)
{
	struct hold hold = r->hold;

	loop_io_cancel(&r->pause);
	loop_io_cancel(&r->patience);
	r->done(r);
	hold_drop(&hold);
}

static void ring_look_done(struct errand *e)
{
	struct ring_look *l = container_of(e, struct ring_look, errand);
	struct ring_resize *r = l->resize;

	r->look = NULL;
	r->err = e->late ? -ETIMEDOUT : l->err;
	r->granted = e->late ? 0 : l->granted;
	ring_resize_end(r);
}

/* Returns 1: it is under way; 0: there is nobody to look at; or a negative errno. */
static int ring_send(struct ring_resize *r, const struct node *node)
{
	struct context *ctx = r->hold.ctx;
	struct ring_look *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct ring_look){
		.errand = { .run = ring_look_run,
			    .done = ring_look_done,
			    .free = ring_look_free,
			    .loop = ctx->loop,
			    .uid = node->inode->uid },
		.resize = r,
		.ino = r->hold.inode->ino,
		.dev = ctx->dev,
		.size = r->size,
	};
	l->count = descriptor_scan_holders(ctx->services->scan, node, l->holders, RING_RESIZE_HOLDERS);
	err = l->count ? errand_start(&l->errand, RING_RESIZE_PATIENCE_NSEC) : 0;
	if (l->count && err == 0) {
		r->look = l;
		return 1;
	}
	free(l);
	return err;
}

/* Where too many looks are under way for the same owner, they come to an end soon, or it is given up. */
static void ring_paused(struct loop_io *io, int res)
{
	struct ring_resize *r = container_of(io, struct ring_resize, pause);
	struct context *ctx = r->hold.ctx;
	const struct node *node = node_name(r->hold.node);

	if (r->size && node->inode->ring_size)
		r->size = node->inode->ring_size;
	r->err = ctx->leaving ? -ENOTCONN : ring_send(r, node);
	if (r->err == -EUSERS && r->tries++ < RING_RESIZE_PATIENCE_NSEC / RING_RESIZE_PAUSE_NSEC)
		loop_io_timer(io, RING_RESIZE_PAUSE_NSEC);
	else if (r->err <= 0)
		ring_resize_end(r);
}

static void ring_scanned(struct descriptor_scan_waiter *w)
{
	struct ring_scan *scan = container_of(w, struct ring_scan, waiter);
	struct ring_resize *r = scan->resize;
	struct descriptor_scan_count ignored;

	free(scan);
	if (!r)
		return;
	r->scan = NULL;
	if (r->size && !descriptor_scan_count(r->hold.ctx->services->scan, node_name(r->hold.node), &ignored))
		ring_say_once(-EPERM);
	ring_paused(&r->pause, 0);
}

/* Whatever it waits for. */
static void ring_impatient(struct loop_io *io, int res)
{
	struct ring_resize *r = container_of(io, struct ring_resize, patience);

	if (r->look) {
		errand_abandon(&r->look->errand);
		return;
	}
	if (r->scan) {
		r->scan->resize = NULL;
		r->scan = NULL;
	}
	ring_resize_end(r);
}

void ring_resize_start(struct ring_resize *r, const struct hold *hold, int size, uint64_t until,
		       void (*done)(struct ring_resize *))
{
	struct loop *loop = hold->ctx->loop;
	uint64_t now = clock_nsec();

	*r = (struct ring_resize){ .size = size, .done = done, .scan = calloc(1, sizeof(*r->scan)) };
	loop_io_init(&r->pause, loop, ring_paused);
	loop_io_init(&r->patience, loop, ring_impatient);
	hold_copy(&r->hold, hold);
	r->err = r->scan ? -ETIMEDOUT : -ENOMEM;
	loop_io_timer(&r->patience, r->scan && until > now ? until - now : 0);
	if (!r->scan)
		return;
	r->scan->resize = r;
	r->scan->waiter = (struct descriptor_scan_waiter){ .done = ring_scanned, .anew = true };
	descriptor_scan_want(hold->ctx->services->scan, &r->scan->waiter);
}
