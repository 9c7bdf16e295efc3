/*
 * Names are found and forgotten. Nothing here waits: a look-up that has to, for a channel that settles, or for the FIFO of who
 * looks a broadcast name up, is answered later, by what it waits for.
 */
#include "dir-parts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "base.h"
#include "callers.h"
#include "folder.h"
#include "names.h"
#include "operation-parts.h"
#include "packets.h"
#include "reply.h"
#include "settle.h"
#include "visit.h"

int dir_stand_in(fuse_req_t req, struct inode *inode, enum node_kind kind, const char *name, struct node **node)
{
	struct context *ctx = context_of(req);
	struct node *stand_in = packets_stand_in(ctx, inode, kind);
	int err = stand_in ? accounts_charge_node(ctx, req, stand_in, name) : -ENOMEM;

	if (err == 0)
		*node = stand_in;
	else if (stand_in)
		node_release(&ctx->nodes, stand_in);
	return err;
}

/* A look-up that waits for the channel to settle. */
struct dir_looking {
	struct settle_waiter waiter;
	fuse_req_t req;
	struct caller_groups groups;
	fuse_ino_t parent;
	char name[NAME_MAX + 1];
};

static void dir_look(fuse_req_t req, fuse_ino_t parent, const char *name, bool waits);

static void dir_look_on(struct settle_waiter *w)
{
	struct dir_looking *l = container_of(w, struct dir_looking, waiter);
	struct context *ctx = context_of(l->req);

	callers_give(ctx, &l->groups);
	dir_look(l->req, l->parent, l->name, false);
	callers_forget(ctx);
	free(l);
}

/* Returns whether it waits: the daemon's own do not, for the worker may be about to open what is looked up. */
static bool dir_look_later(fuse_req_t req, fuse_ino_t parent, const char *name, struct node *node)
{
	struct dir_looking *l;

	names_look(context_of(req), node);
	l = settle_goes_on(node->inode) ? malloc(sizeof(*l)) : NULL;
	if (!l)
		return false;
	l->waiter.run = dir_look_on;
	l->req = req;
	l->groups = callers_take(context_of(req));
	l->parent = parent;
	strcpy(l->name, name);
	settle_wait(context_of(req), node->inode, &l->waiter);
	return true;
}

/* Who gets a node of his own is charged for it. */
static bool dir_waits_for_caller(fuse_req_t req, const struct node *node)
{
	if (node->each)
		return visit_waits(req, node) || accounts_wait(req);
	return packets_name(node) && accounts_wait(req);
}

static void dir_look(fuse_req_t req, fuse_ino_t parent, const char *name, bool waits)
{
	struct context *ctx = context_of(req);
	struct node *dir = node_get(&ctx->nodes, parent);
	struct node *node;
	int err = 0;

	if (!dir || dir->kind != NODE_DIR) {
		reply_error(req, -ENOTDIR);
		return;
	}
	if (strlen(name) > NAME_MAX) {
		reply_error(req, -ENAMETOOLONG);
		return;
	}
	node = folder_find(ctx, dir, name);
	if (node && node->kind == NODE_FILE) {
		if (!callers_wait(req))
			ctx->operations->hooks.file_lookup(req, node);
		return;
	}
	if (!node) {
		reply_error(req, -ENOENT);
		return;
	}
	if (dir != ctx->numbers && dir_waits_for_caller(req, node))
		return;
	if (waits && dir != ctx->numbers && dir_look_later(req, parent, name, node))
		return;
	if (dir == ctx->numbers)
		node->numbered++;
	if (dir != ctx->numbers && node->each) {
		visit_start(req, node);
		return;
	}
	if (dir != ctx->numbers && packets_name(node))
		err = dir_stand_in(req, node->inode, NODE_HANDLE, name, &node);
	if (err < 0)
		reply_error(req, err);
	else
		reply_entry(req, node);
}

void dir_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	dir_look(req, parent, name, true);
}

static void dir_forget_one(struct context *ctx, uint64_t ino, uint64_t count)
{
	struct node *node = node_get(&ctx->nodes, ino);

	if (!node)
		return;
	node->lookups -= count < node->lookups ? count : node->lookups;
	if (node->visit)
		visit_forgotten(node);
	else
		node_release(&ctx->nodes, node);
}

void dir_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	dir_forget_one(context_of(req), ino, count);
	fuse_reply_none(req);
}

void dir_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		dir_forget_one(context_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}
