/* What the files of the server share: the only ones that know all of fs/. */
#pragma once

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base.h"
#include "context.h"
#include "gate.h"
#include "mount.h"
#include "scout.h"
#include "server.h"

struct server {
	struct context ctx;
	struct mount mount;
	struct gate gate;
	struct scout scout;
	struct fuse_buf buf;
	struct loop_io fuse_io;
	struct loop_io signal_io;
	struct loop_io mount_io;
	struct loop_io mount_pause;
	struct loop_task log_task; /* lines were left out */
	atomic_bool log_posted;    /* it is on its way */
	struct loop_io log_io;
	pthread_t helper_thread;
	bool helping; /* it runs */
	int signals;
	int dir;                 /* "/.spfs/fifos" in the private view */
	int ready;               /* told when the mount answers; -1: nobody waits */
	struct loop_io ready_io; /* until it can be */
	bool holds_none;         /* while leaving: no channel is held any more */
	struct last_job *last;   /* while leaving: one for each thread; NULL: not yet, or out of memory */
	unsigned threads;        /* while leaving: those that have work left */
	bool through;            /* while leaving: none has */
	struct loop_io patience; /* while leaving */
	uint64_t left;           /* when that began */
	bool abandons;           /* a worker stands, and is not waited for any more */
	int err;                 /* why the start has failed */
};

static inline struct server *server_of(struct context *ctx)
{
	return container_of(ctx, struct server, ctx);
}

/* server-start.c: everything up to the mount and the thread that helps. Returns 0 or a negative errno. */
int server_start(struct server *s, struct fuse_args *args, const struct server_options *options);

/* ... and what needs the mount to be answered; ends with the gate open, or in server_leave(). */
void server_go_on(struct server *s);

/* server-leave.c: the end begins. No-op where it has. */
void server_leave(struct server *s);

/* ... and after the loop, where a worker is left behind: ends the process. */
__attribute__((noreturn)) void server_abandon(struct server *s);

/* ... and after the loop: frees what there is, however far the start has come. */
void server_finish(struct server *s);

/* Declared channels are there. What was said until now is ahead, and perhaps in the way for as long as nobody reads it. @data: it. */
void server_ready(void *data);
