/*
 * The file system without a mount: a context whose session gets the requests of a test instead of the
 * kernel's, and keeps the answer. There is no engine: what needs a channel object cannot be asked for.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "context.h"

struct session {
	struct context ctx;
	/* Whose requests these are, root's at first; pid: where their groups are looked up. */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	/* The last answer. */
	int answers; /* since the request */
	int err;
	size_t len;
	char data[65536];
};

/* The root folder is the caller's, 0755. @ops: NULL for the daemon's own. Ends the test where anything fails. */
void session_start(struct session *s, const struct fuse_lowlevel_ops *ops);
void session_stop(struct session *s);

/* Asks, and returns the answer's error, 0 or negative. Fails the test unless there is one answer. */
int session_call(struct session *s, uint32_t opcode, uint64_t node, const void *in, size_t len);

/* Makes a folder or a FIFO by @mode. Returns its node, looked up once, or a negative errno. */
int64_t session_make(struct session *s, uint64_t dir, const char *name, mode_t mode);

/* The node of the name, looked up once more, or a negative errno. */
int64_t session_lookup(struct session *s, uint64_t dir, const char *name);

int session_remove(struct session *s, uint64_t dir, const char *name, mode_t mode);
int session_rename(struct session *s, uint64_t dir, const char *name, uint64_t newdir, const char *newname);

void session_forget(struct session *s, uint64_t node, uint64_t count);

/* Two nodes at once. */
void session_forget_both(struct session *s, uint64_t a, uint64_t b, uint64_t count);

/* An open folder's handle. */
uint64_t session_opendir(struct session *s, uint64_t dir);
void session_releasedir(struct session *s, uint64_t dir, uint64_t handle);

/*
 * The names from *offset on that fit into @size bytes of answer, each followed by a blank; *offset is
 * after them then.
 */
void session_readdir(struct session *s, uint64_t dir, uint64_t handle, uint64_t *offset, size_t size, char *names);
