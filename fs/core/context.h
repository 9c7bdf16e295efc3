/*
 * The context of a mount: what every layer of fs/ shares. It knows nothing of the layers above: their state hangs on it
 * by pointers that only they follow, and what must be told upwards goes through hooks that fs/start hands down.
 *
 * It is the FUSE thread's, which owns the node table and gives every request its one reply; where another thread may
 * read a field, that is said.
 */
#pragma once

#include <fuse_lowlevel.h>

#include "account.h"
#include "callers.h"
#include "loop.h"
#include "node.h"
#include "quota.h"
#include "setting.h"

struct config;
struct control;
struct engine;
struct operations;
struct job;
struct services;
struct worker;

struct context {
	struct fuse_session *session; /* any thread may notify the kernel by it */
	struct loop *loop;            /* the FUSE thread's; any thread may post to it */
	struct loop *helper;          /* a thread for texts, which may take their time */
	struct engine *engine;        /* NULL: the start is not over, and nobody but the daemon is served */
	uint64_t started;             /* nanoseconds of CLOCK_MONOTONIC */
	char *mountpoint;             /* absolute, without links; never changed, so any thread may read it */
	dev_t dev;                    /* of the mount; the same */

	pid_t scout; /* while the start lasts: who opens what the daemon needs of its own mount; 0 */

	struct node_table nodes;
	struct node *admin;   /* "/.spfs" */
	struct node *numbers; /* "/.spfs/fifos": every FIFO by its number, for the daemon alone */
	struct node *socket;  /* "/.spfs/control"; pending until it is bound */
	struct node *door;    /* ".spfs" in every other folder: the same for who sees no more than that; likewise */

	struct config *config; /* in force; what follows is out of it */
	struct settings defaults;
	struct quotas quotas; /* the rules are the configuration's */
	struct accounts accounts;
	struct callers callers;

	bool leaving;                        /* the daemon is on its way out: nothing new is begun, see hold.h */
	unsigned holds;                      /* and channel objects that are being destroyed */
	void (*let_go)(struct context *ctx); /* set while leaving: none is left */
	struct loop_task release;

	struct loop_io watchdog;  /* watchdog.h */
	LIST_HEAD(, job) patient; /* jobs that somebody waits for */
	/* A worker stands, or goes on (worker->stands); NULL: nobody wants to know. */
	void (*stands)(struct context *ctx, struct worker *worker);

	struct services *services;     /* fs/service */
	struct operations *operations; /* fs/operation */
	struct control *control;       /* fs/control */
};

static inline struct context *context_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}
