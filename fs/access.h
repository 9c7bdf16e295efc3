/* The permission checks that the kernel cannot make for us: names given inside a value. */
#pragma once

#include "server.h"

/*
 * Whether the request's caller may use @node with @mask (R_OK | W_OK | X_OK), by mode, owner and
 * groups. Returns 0 or -EACCES.
 */
int access_check(fuse_req_t req, const struct node *node, int mask);

/* Whether the request's caller may remove @node's name. Returns 0 or -EACCES. */
int access_may_delete(fuse_req_t req, const struct node *node);

/* Finds the node of @path below @from, with the daemon's own rights. NULL if there is none. */
struct node *access_find(struct node *from, const char *path);

/*
 * Finds the folder of @path with the caller's rights. A relative path starts at @from; an absolute
 * one must be inside the mount. *name: the last part, in @path. Returns 0, or -EINVAL, -ENOENT,
 * -ENOTDIR, -EACCES, -EXDEV.
 */
int access_walk(fuse_req_t req, struct node *from, const char *path, struct node **dir, const char **name);
