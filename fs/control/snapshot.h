/*
 * Snapshots: regular files under .spfs/, each look-up of which is answered with a node of its own that holds a text
 * as it was then. So its size is exact before it is read, and one open, or mapping, always shows the same.
 *
 * A process that looks the same file up again within a second gets the same node, so what stat(2) tells holds for an
 * open(2) after it. After that the node goes when the kernel forgets it, which for
 * the last one of each file is when the name is looked up again, or memory is short.
 */
#pragma once

#include "context.h"

/* What one user may have open or being made, at most; but for a single one of any size. */
#define SNAPSHOT_USER_MAX 64
#define SNAPSHOT_USER_BYTES (64u << 20)

#define SNAPSHOT_FRESH_NSEC 1000000000u

struct snapshots;
struct snapshot;

/* Returns 0 or -ENOMEM. */
int snapshots_create(struct snapshots **list, struct context *ctx);

/* The end of the daemon: none stays for the sake of who may come again. */
void snapshots_leave(struct snapshots *list);

/* Every node must be gone. NULL-safe. */
void snapshots_destroy(struct snapshots *list);

/* The node that the request's process was given lately for @of, the file's own node; or NULL. */
struct node *snapshot_find(struct snapshots *list, fuse_req_t req, const struct node *of);

/* One for the request's process, to be filled or freed. Returns 0, -ENOMEM or -ENFILE, logged. */
int snapshot_create(struct snapshots *list, fuse_req_t req, struct node *of, struct snapshot **snapshot);

/*
 * Gives it its text, which is taken, and a node. The snapshot is the node's then, and where that fails it is freed.
 * Returns 0, -ENOMEM or -ENFILE, logged.
 */
int snapshot_fill(struct snapshot *sn, char *text, struct node **node);

/* NULL-safe. */
void snapshot_free(struct snapshot *sn);
