/*
 * An open of the daemon's own would pass for a reader or writer: it would wake a peer that waits in open(2), and close
 * on it. So the scan says who has the FIFO open, and pidfd_getfd(2) copies a descriptor of theirs. The pipe's lock is
 * needed to resize it, to look at its size and to close the copy, and a process that execs can be copied from later only:
 * so it is an errand. It takes CAP_SYS_PTRACE over them: root's daemon has it, one in a user namespace of its own has not
 * (commoncap.c, cap_ptrace_access_check).
 *
 * A process may have closed the descriptor since, or have another file there: only this very FIFO is touched. What is no such
 * thing is not even copied, and where it was changed at that moment, the copy is closed on a thread that is counted to
 * whoever did so: a file system of his may be told of it, and never answer.
 */
#include "ring-look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "deferred-close.h"
#include "descriptor-node.h"
#include "log.h"
#include "pipe.h"
#include "process.h"
#include "services.h"

void ring_look_say_blind(int err)
{
	static atomic_bool said;

	if (!atomic_exchange(&said, true))
		log_warn(
			"no right to the descriptors of other processes, so rings that they have open keep their size: %s",
			strerror(-err));
}

static bool ring_look_is_there(const struct ring_look *l, const struct descriptor_scan_holder *h)
{
	char name[48];
	uint64_t node;

	snprintf(name, sizeof(name), "/proc/%d/fd/%d", h->pid, h->fd);
	return descriptor_node(AT_FDCWD, name, l->dev, &node) == 0 && node == l->node;
}

/* A copy of the descriptor, or a negative errno. */
static int ring_look_copy(const struct ring_look *l, const struct descriptor_scan_holder *h)
{
	_cleanup_fd_ int process = (int)syscall(SYS_pidfd_open, h->pid, 0);
	int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, h->fd, 0);
	uint64_t node;

	if (fd < 0)
		return -errno;
	if (descriptor_node_own(fd, l->dev, &node) == 0 && node == l->node)
		return fd;
	deferred_close(&fd, process_user(h->pid));
	return -ESTALE;
}

static void ring_look_run(struct errand *e)
{
	struct ring_look *l = container_of(e, struct ring_look, errand);

	for (size_t i = 0; i < l->count; i++) {
		const struct descriptor_scan_holder *h = &l->holders[i];
		bool there = ring_look_is_there(l, h) && !deferred_close_crowded(process_user(h->pid));
		_cleanup_fd_ int fd = there ? ring_look_copy(l, h) : -ESTALE;
		int size;

		if (fd == -EPERM || fd == -EACCES)
			ring_look_say_blind(fd);
		if (fd < 0)
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
		.node = node->id,
		.dev = ctx->dev,
	};
	l->count = descriptor_scan_holders(ctx->services->scan, node, l->holders, RING_LOOK_HOLDERS);
	return l;
}
