/*
 * The permission checks that the kernel cannot make for us: names given inside a value, and what is asked for
 * through the control socket.
 */
#pragma once

#include "rights.h"
#include "context.h"

#define _cleanup_rights_ __attribute__((cleanup(rights_finish)))

/* The rights of the request's caller; rights_finish() is owed. Returns 0, or -ENOMEM, -EMFILE, -ENFILE, or what callers.h says. */
int access_rights(fuse_req_t req, struct rights *r);

/* Whether the groups of user @uid make a difference to what he may do with @inode of @mask (one of R_OK, W_OK, X_OK). */
bool access_asks_groups(uid_t uid, const struct inode *inode, int mask);

/*
 * Whether @r suffice to use @inode with @mask (R_OK | W_OK | X_OK), by mode, owner and groups, whatever of the
 * mode a name shows. Returns 0 or -EACCES.
 */
int access_check(const struct rights *r, const struct inode *inode, int mask);

/* Whether @r suffice to remove @node's name. Returns 0 or -EACCES. */
int access_may_delete(const struct rights *r, const struct node *node);

/* Finds the node of @path below @from, with the daemon's own rights. NULL if there is none. */
struct node *access_find(struct node *from, const char *path);

/*
 * Finds the folder in which @r may make the last part of @path: *name. A relative path starts at @from; an
 * absolute one must be inside the mount. Returns 0, or -EINVAL, -ENOENT, -ENOTDIR, -EACCES, -EXDEV,
 * -ENAMETOOLONG.
 */
int access_walk(struct context *ctx, const struct rights *r, struct node *from, const char *path, struct node **dir,
		const char **name);

/*
 * Finds the channel of @path, which starts at folder @top with a slash or without, and does not lead out of it, through
 * folders that @r may search. The same errors, or -EISDIR.
 */
int access_channel(struct context *ctx, const struct rights *r, struct node *top, const char *path, struct node **node);
