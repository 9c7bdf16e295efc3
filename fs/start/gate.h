/*
 * The gate: until the daemon is ready it answers its own requests only, and those of others wait here, not in vain.
 *
 * The daemon reaches its folder of numbers through the mount, so the kernel looks ".spfs" up in the root for it, and
 * takes the root's lock for that. Were another's request served that holds this lock and needs a worker (link(2)), both
 * would wait for each other for ever. But whoever comes to the root from outside needs its permissions first, and asks
 * for them without a lock (fuse_permission() of fs/fuse/dir.c: with default_permissions a GETATTR, for attributes are
 * never valid here). So the first GETATTR of each is what waits; nobody comes any further.
 *
 * The exceptions change the root itself, under its lock. SETATTR needs no worker and passes. setxattr(2) asks for
 * permission with the lock held: so from GATE_NSEC on a GETATTR is answered, for stat(2) as well, and what follows it is
 * told EAGAIN. The next in the queue for the lock may be one more of them, and there the daemon stands behind: that takes
 * GATE_LATE_NSEC each.
 */
#pragma once

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "context.h"

#define GATE_NSEC 1000000000u
#define GATE_LATE_NSEC 20000000u

struct gate_request;

/* Zero-valid but for gate_init(): closed. */
struct gate {
	struct context *ctx; /* ctx->scout: who is let in */
	struct gate_request *first;
	struct gate_request **last;
	bool open;
	bool late; /* somebody was refused */
	struct loop_io timer;
};

/* @ctx has its session and its loop. */
void gate_init(struct gate *g, struct context *ctx);

/* A request that was read: handles it, at once or once the gate is open. */
void gate_pass(struct gate *g, const struct fuse_buf *request);

/* Handles all that wait, and everything from now on. No-op where it is open. */
void gate_open(struct gate *g);

/* Frees what waits, unanswered: the connection is gone. */
void gate_finish(struct gate *g);
