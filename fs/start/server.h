/* The server: one mount, from its start to its end. */
#pragma once

#include <stdbool.h>

struct config;
struct fuse_args;

struct server_options {
	struct config *config; /* with all of [mount] said, "point" by mount_resolve() */
	bool auto_unmount;     /* the mount goes also where the daemon is killed */
	/*
	 * A pipe to write a zero byte to when the mount answers, which does not block, and is the server's; copies of the log
	 * may go there until then (log_copy_to()). -1: nobody waits.
	 */
	int ready;
};

/* Mounts and serves until a signal or an unmount. Returns 0 or a negative errno, logged. */
int server_run(struct fuse_args *args, const struct server_options *options);
