/*
 * Every request in a ring has a loop_op of the loop's own, and only when its completion has come does the op return to the free
 * list. A request holds a reference to its files until then: a descriptor that is closed before is not really closed, so each op
 * knows its descriptors, and loop_release() waits for the ops.
 *
 * All of it on the loop's thread. A block of ops is made ahead of its need, so who runs out of memory has some left, and
 * cannot make much that needs more. Without any the process ends: a loop that cannot wait would lose data in silence.
 */
#include "loop-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lane.h"
#include "log.h"

/* Mapped, so that what no op has been in yet takes no memory. */
#define LOOP_BLOCK_OPS 1024
struct loop_block {
	SLIST_ENTRY(loop_block) entry;
	unsigned used;
	struct loop_op ops[LOOP_BLOCK_OPS];
};

int loop_op_reserve(struct loop *loop)
{
	struct loop_block *block;

	if (loop->spare)
		return 0;
	block = mmap(NULL, sizeof(*block), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return -ENOMEM;
	loop->spare = block;
	return 0;
}

/* One that has not been used yet, of the newest block. */
static struct loop_op *loop_op_fresh(struct loop *loop)
{
	struct loop_block *block = SLIST_FIRST(&loop->blocks);

	if (!block || block->used == LOOP_BLOCK_OPS) {
		if (loop_op_reserve(loop) < 0)
			log_abort("out of memory for an event; giving up");
		block = loop->spare;
		loop->spare = NULL;
		SLIST_INSERT_HEAD(&loop->blocks, block, entry);
	}
	loop_op_reserve(loop);
	return &block->ops[block->used++];
}

struct loop_op *loop_op_create(struct loop *loop, struct loop_io *io, int fd, int other)
{
	struct loop_op *op = SLIST_FIRST(&loop->free);

	if (op)
		SLIST_REMOVE_HEAD(&loop->free, free);
	else
		op = loop_op_fresh(loop);
	op->io = io;
	op->fds[0] = fd;
	op->fds[1] = other;
	op->fence = false;
	if (io)
		io->op = op;
	return op;
}

static unsigned loop_op_refers(const struct loop_op *op, int fd)
{
	return fd >= 0 && (op->fds[0] == fd || op->fds[1] == fd);
}

void loop_op_release(struct loop *loop, struct loop_op *op)
{
	struct loop_release *r, *next;

	for (r = LIST_FIRST(&loop->releases); r; r = next) {
		next = LIST_NEXT(r, entry);
		if (!loop_op_refers(op, r->fd) || --r->requests)
			continue;
		LIST_REMOVE(r, entry);
		r->released(r);
	}
	op->fds[0] = op->fds[1] = -1;
	SLIST_INSERT_HEAD(&loop->free, op, free);
}

void loop_release(struct loop *loop, struct loop_release *r)
{
	const struct loop_block *block;

	r->loop = loop;
	r->requests = 0;
	SLIST_FOREACH(block, &loop->blocks, entry)
		for (unsigned i = 0; i < block->used; i++)
			r->requests += loop_op_refers(&block->ops[i], r->fd);
	if (r->requests)
		LIST_INSERT_HEAD(&loop->releases, r, entry);
	else
		r->released(r);
}

void loop_op_fence(struct loop_op *op)
{
	struct io_uring_sqe sqe = { 0 };

	op->fence = true;
	io_uring_prep_nop(&sqe);
	io_uring_sqe_set_data(&sqe, op);
	lane_submit(op->lane, &sqe);
}

void loop_io_fence(struct loop *loop, struct lane *lane, int fd)
{
	struct loop_op *op = loop_op_create(loop, NULL, fd, -1);

	op->lane = lane;
	lane_hold(lane);
	loop_op_fence(op);
}

void loop_op_finish(struct loop *loop)
{
	struct loop_release *r;
	struct loop_block *block;

	while ((r = LIST_FIRST(&loop->releases))) {
		LIST_REMOVE(r, entry);
		r->loop = NULL;
		r->released(r);
	}
	while ((block = SLIST_FIRST(&loop->blocks))) {
		SLIST_REMOVE_HEAD(&loop->blocks, entry);
		munmap(block, sizeof(*block));
	}
	if (loop->spare)
		munmap(loop->spare, sizeof(*loop->spare));
}
