/*
 * The node table: what the kernel knows by a node number.
 *
 * A channel has one inode (attributes, one st_ino) and a node for each of its names, for each name
 * has a kernel pipe of its own. A folder is a node with an inode that nobody shares. Only the FUSE
 * thread touches any of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <uthash.h>

#include "account.h"
#include "trees.h"

struct object;
struct stamp;
struct settle_waiter;
struct visit;

/* Attributes shared by the names of one channel, or a folder's own. */
struct inode {
	uint64_t ino;
	mode_t mode; /* with the type */
	uid_t uid;
	gid_t gid;
	struct timespec atime, mtime, ctime;
	uint64_t atime_set,
		mtime_set;   /* when, in nanoseconds of CLOCK_REALTIME: what data has moved before is nothing */
	struct stamp *stamp; /* of what has moved through the channel; NULL: it had no object yet */
	unsigned refs;
	unsigned names;        /* st_nlink of a channel; of a folder 1, and 0 once it is removed */
	unsigned taps;         /* names that are taps */
	struct node *origin;   /* NULL once it has no name */
	struct object *object; /* hold.h's: the channel; NULL while the daemon has no part in it */
	unsigned holds;        /* hold.h's */
	uint64_t searched; /* of a folder: the last collection that knows whether who asks may search the way to it, */
	bool searchable;   /* and that */
	unsigned handles;  /* that are open */
	bool packets;      /* each write is a message; the origin is shown as a regular file */
	bool switching;    /* a change of that is under way */
	bool keep;         /* the channel stays when its origin is removed (vacancy.h), as long as it has taps ... */
	bool declared;     /* ... or always */
	bool readable;     /* the origin may be read, whatever taps it has */
	struct ring_queue *resizing; /* ring-resize.h's: its ring is being looked at */
	int ring_size;               /* bytes, as last set and not yet refused; 0: what the channel was made with */
	int ring_granted;            /* the same, as last granted */
	unsigned settling;           /* settle.h's */
	uint64_t settles;            /* the same: since when, in nanoseconds of CLOCK_MONOTONIC */
	LIST_HEAD(, settle_waiter) waiters;
	RB_HEAD(channel_names, node) nodes; /* a channel's, by number; channels.h */
	RB_ENTRY(inode) by_ino;
};

RB_HEAD(channels, inode);

/* Who has a name open, as far as the last scan knows (descriptor-scan.h). */
struct node_users {
	uint64_t scan; /* which; else the rest is nothing */
	unsigned readers, writers;
};

/* What is in a folder; entries.h. */
struct entries {
	RB_HEAD(entries_names, node) names;
	RB_HEAD(entries_order, node) order; /* by cookie */
};

enum node_kind { NODE_DIR, NODE_FIFO, NODE_HANDLE, NODE_SOCKET, NODE_FILE };

struct node {
	uint64_t id;
	enum node_kind kind;
	uint64_t lookups; /* references the kernel holds (FORGET gives them back) */
	unsigned pins;    /* references of ours: open handles, jobs */
	struct inode *inode;
	struct charge charge; /* for itself, as long as it is there */
	uid_t maker;          /* of a tap: who made it */
	struct stamp *stamp;  /* of a tap or broadcast, once it is made */
	bool each;            /* a broadcast: each look-up of the name is answered with a FIFO of its own */
	struct visit *visit;  /* such a FIFO: visit.h's */
	struct node *visited; /* the same: the broadcast's name, which it keeps */
	uint64_t numbered;    /* the same: of the look-ups, those of the daemon's own */
	RB_ENTRY(node) of_channel;
	struct node_users users;
	UT_hash_handle by_id;

	/* Its place, while it has a name. */
	struct node *parent;
	char *name;
	bool pending;    /* being linked: not to be seen yet */
	uint64_t cookie; /* its place in a listing: given once, and kept while the name stays in the folder */
	RB_ENTRY(node) by_name;
	RB_ENTRY(node) by_cookie;

	struct node *vacant_in; /* the folder where its place is kept; vacancy.h */

	/* NODE_DIR */
	struct entries entries;
	struct entries vacancies;
	unsigned subdirs;

	/* NODE_HANDLE: bytes written through it */
	uint64_t size;

	/* NODE_FILE: what it holds, and goes with it; NULL: it only has a place in .spfs */
	struct node_text *text;
};

/* What a regular file in .spfs holds; it never changes. Embedded in what its maker knows of it. */
struct node_text {
	char *text;
	size_t len;
	struct timespec time; /* CLOCK_REALTIME: when it was made */
	/* The node is gone. Frees the text, too. */
	void (*free)(struct node_text *t);
};

struct node_table {
	struct node *by_id;
	struct channels channels;
	uint64_t next_id;
	uint64_t next_ino;
	uint64_t next_cookie;
	uint64_t names; /* for statfs */
	struct node *root;
};

/* The kernel's number of the root (FUSE_ROOT_ID). */
#define NODE_ROOT 1

/* Returns 0 or -ENOMEM. */
int node_table_init(struct node_table *t, mode_t mode, uid_t uid, gid_t gid);
void node_table_finish(struct node_table *t);

/* NULL if there is none. */
struct node *node_get(struct node_table *t, uint64_t id);

/*
 * Makes a node without a name. @inode: shared with its other names, or NULL for a new one with
 * @mode, @uid, @gid. Returns NULL when out of memory.
 */
struct node *node_create(struct node_table *t, enum node_kind kind, struct inode *inode, mode_t mode, uid_t uid,
			 gid_t gid);

/* Gives a reference (inode->refs) back; the inode goes with the last one, which nodes have as well. */
void node_put_inode(struct node_table *t, struct inode *inode);

/* Charges it to @account, for as long as it is there. Returns 0, -EDQUOT, or -ENOMEM where that is NULL. */
int node_charge(struct node *node, struct account *account);

/* Gives the node its name in @dir. Returns 0, -EEXIST or -ENOMEM. */
int node_attach(struct node_table *t, struct node *node, struct node *dir, const char *name);

/* Gives the name and place of @old to @fresh, a node without one, of the same kind and inode. */
void node_replace(struct node *old, struct node *fresh);

/*
 * Moves the node, which has a name, to @name in @dir, where there is none such. @name was allocated, and is taken; so
 * nothing can fail. Within a folder it keeps its place in a listing, so that one that goes on meanwhile neither misses
 * nor repeats it.
 */
void node_move(struct node_table *t, struct node *node, struct node *dir, char *name);

/* Gives each of two nodes, which both have a name, the name and place of the other. */
void node_exchange(struct node *a, struct node *b);

/* Takes its name away; the node goes once nobody refers to it. */
void node_detach(struct node_table *t, struct node *node);

struct node *node_find(const struct node *dir, const char *name);

/* Frees the node if it has no name, no lookups and no pins. */
void node_release(struct node_table *t, struct node *node);

/*
 * The length of the node's path from the mount's root. No name is made where it would be PATH_MAX or more, though a folder
 * may be moved with what is in it to where that is. Then it is some number from PATH_MAX on: nothing goes through more
 * folders than fit in a path.
 */
size_t node_path_length(const struct node *node);

/* Through how many folders a path to it goes, but no more than fit in one. */
unsigned node_depth(const struct node *node);

/* What a path begins with that is longer, and is told of by its end. */
#define NODE_PATH_CUT "..."

/* The node's path from the mount's root, "/a/b", of a vacancy where it was; the caller frees it. NULL: out of memory. */
char *node_path(const struct node *node);

static inline bool node_is_channel(const struct node *node)
{
	return node->kind == NODE_FIFO || node->kind == NODE_HANDLE;
}

static inline bool node_is_tap(const struct node *node)
{
	return node->kind == NODE_FIFO && node->inode->origin != node;
}

/* Whether the origin is read for its taps alone: what anybody else reads is missing there. */
static inline bool inode_is_read_by_taps(const struct inode *inode)
{
	return inode->taps && !inode->readable &&
	       !inode->packets; /* (of packets, there is nothing to be read at the origin) */
}

/*
 * The name by which people know the node: what created a channel, is a packet channel to its writer, or a broadcast to its
 * reader, has none.
 */
static inline const struct node *node_name(const struct node *node)
{
	if (node->visited)
		return node->visited;
	return node->kind == NODE_HANDLE && node->inode->origin ? node->inode->origin : node;
}
