/*
 * The server: one FUSE session, its node table and the engine behind it.
 *
 * Everything of the fs/ folder runs on one thread, the FUSE thread, on its own event loop: it owns
 * the node table and gives every request its one reply. What has to happen on a channel's worker
 * goes there as a job, and comes back.
 */
#pragma once

#include <fuse_lowlevel.h>

#include "loop.h"
#include "node.h"
#include "quota.h"
#include "owner-limits.h"

struct attach;
struct collector;
struct config;
struct control;
struct engine;
struct events_watch;
struct fuse_args;
struct handle;
struct keep;
struct port_wait;
struct rings;
struct snapshots;
struct descriptor_scan;

struct server {
	struct fuse_session *session;
	struct fuse_buf buf;
	struct loop *loop;
	struct loop *helper; /* a thread for what may take its time: reading /proc */
	pthread_t helper_thread;
	bool helping;
	struct engine *engine;
	struct timespec started; /* CLOCK_MONOTONIC */
	struct node_table nodes;
	struct config *config; /* in force; what follows is out of it */
	struct settings defaults;
	struct quotas quotas; /* the rules are the configuration's */
	struct accounts accounts;
	struct node *admin;   /* "/.spfs" */
	struct node *numbers; /* "/.spfs/fifos": every FIFO by its number, for the daemon alone */
	struct node *socket;  /* "/.spfs/control"; pending until it is bound */
	LIST_HEAD(, handle) handles;
	LIST_HEAD(, attach) attaches; /* under way */
	LIST_HEAD(, keep) keeps;
	LIST_HEAD(, port_wait) waits;
	LIST_HEAD(, events_watch) events;
	struct descriptor_scan *scan;
	struct collector *collector;
	struct snapshots *snapshots;
	struct control *control;
	struct rings *rings;
	char *mountpoint;     /* absolute, without links */
	bool detached;        /* no mount any more that a user could see */
	bool left;            /* on its way out: nothing new is begun */
	unsigned leaving;     /* threads that have work left */

	struct loop_io fuse_io;
	struct loop_io signal_io;
	struct loop_io mount_io;
	int signals;
	int mounts;     /* /proc/self/mountinfo of the user's mount namespace */
	int mount_id;
	dev_t dev;      /* of the mount */
	int tree;       /* a private view of the mount, through which FIFOs are opened */
	int dir;        /* "/.spfs/fifos" in it */
	int unmounter;  /* a helper in the user's mount namespace, for a mount through fusermount3 */
	int ready;      /* told when the mount answers */
};

struct server_options {
	struct config *config; /* with all of [mount] said, "point" by mount_resolve() */
	int ready; /* a pipe to write one byte to when the mount answers; -1: nobody waits */
};

/* Mounts and serves until a signal or an unmount. Returns 0 or a negative errno, logged. */
int server_run(struct fuse_args *args, const struct server_options *options);

/* A request's way to a worker and back. Embedded in what the request needs. */
struct job {
	struct loop_task task;
	struct server *server;
	void (*work)(struct job *job);   /* on the worker */
	void (*finish)(struct job *job); /* on the FUSE thread; may free the job */
};

void job_post(struct server *s, struct loop *worker, struct job *job, void (*work)(struct job *),
	      void (*finish)(struct job *));

static inline struct server *server_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}
