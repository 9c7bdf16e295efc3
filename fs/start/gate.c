#include "gate.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "callers.h"
#include "log.h"

struct gate_request {
	struct gate_request *next;
	size_t size;
	char data[];
};

/* Whether it is answered also while the gate is closed. The process is told in the mount's pid namespace: ours. */
static bool gate_lets_in(const struct gate *g, const struct fuse_in_header *in)
{
	switch (in->opcode) {
	case FUSE_INIT:
	case FUSE_DESTROY:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
	case FUSE_SETATTR:
		return true;
	case FUSE_GETATTR:
		if (g->late)
			return true;
		/* fall through */
	default:
		return in->pid && (pid_t)in->pid == g->ctx->scout;
	}
}

static void gate_handle(struct gate *g, struct gate_request *r)
{
	struct fuse_buf buf = { .mem = r->data, .size = r->size };

	callers_process(g->ctx, &buf);
}

/* Without libfuse, which has not seen it. */
static void gate_refuse(struct gate *g, const struct fuse_in_header *in, int err)
{
	struct fuse_out_header out = { .len = sizeof(out), .error = err, .unique = in->unique };

	/* ENOENT: the caller was killed. */
	if (write(fuse_session_fd(g->ctx->session), &out, sizeof(out)) < 0 && errno != ENOENT)
		log_err("a request cannot be refused: %m");
}

static struct gate_request *gate_take(struct gate *g)
{
	struct gate_request *r = g->first;

	if (!r)
		return NULL;
	g->first = r->next;
	if (!g->first)
		g->last = &g->first;
	return r;
}

static void gate_late(struct loop_io *io, int res)
{
	struct gate *g = container_of(io, struct gate, timer);
	struct gate_request *r;

	g->late = true;
	while ((r = gate_take(g))) {
		if (gate_lets_in(g, (const void *)r->data))
			gate_handle(g, r);
		else
			gate_refuse(g, (const void *)r->data, -EAGAIN);
		free(r);
	}
}

void gate_init(struct gate *g, struct context *ctx)
{
	*g = (struct gate){ .ctx = ctx };
	g->last = &g->first;
	loop_io_init(&g->timer, ctx->loop, gate_late);
}

void gate_pass(struct gate *g, const struct fuse_buf *request)
{
	const struct fuse_in_header *in = request->mem;
	struct gate_request *r;

	if (g->open || request->size < sizeof(*in) || gate_lets_in(g, in)) {
		callers_process(g->ctx, request);
		return;
	}
	r = malloc(sizeof(*r) + request->size);
	if (!r) {
		gate_refuse(g, in, -ENOMEM);
		return;
	}
	r->next = NULL;
	r->size = request->size;
	memcpy(r->data, request->mem, request->size);
	*g->last = r;
	g->last = &r->next;
	loop_io_timer(&g->timer, g->late ? GATE_LATE_NSEC : GATE_NSEC);
}

void gate_open(struct gate *g)
{
	struct gate_request *r;

	loop_io_cancel(&g->timer);
	g->open = true;
	while ((r = gate_take(g))) {
		gate_handle(g, r);
		free(r);
	}
}

void gate_finish(struct gate *g)
{
	struct gate_request *r;

	while (g->last && (r = gate_take(g)))
		free(r);
}
