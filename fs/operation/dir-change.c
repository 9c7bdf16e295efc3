/* A name that goes takes its part of the channel with it; see names.h. */
#include "dir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "entries.h"
#include "folder.h"
#include "names.h"
#include "reply.h"

/* The node that @name in the folder of number @parent is to be removed of. Returns 0 or a negative errno. */
static int dir_find_victim(struct context *ctx, fuse_ino_t parent, const char *name, bool folder, struct node **victim)
{
	struct node *dir = node_get(&ctx->nodes, parent);
	struct node *node = dir && dir->kind == NODE_DIR ? folder_find(ctx, dir, name) : NULL;

	if (!node)
		return -ENOENT;
	if (folder_is_admin(ctx, node) || folder_is_admin(ctx, dir))
		return -EPERM;
	if (folder && node->kind != NODE_DIR)
		return -ENOTDIR;
	if (!folder && node->kind == NODE_DIR)
		return -EISDIR;
	if (node->kind == NODE_DIR && !entries_empty(&node->entries))
		return -ENOTEMPTY;
	*victim = node;
	return 0;
}

static void dir_take_away(fuse_req_t req, fuse_ino_t parent, const char *name, bool folder)
{
	struct context *ctx = context_of(req);
	struct node *node;
	int err = dir_find_victim(ctx, parent, name, folder, &node);

	reply_error(req, err < 0 ? err : names_remove(ctx, node));
}

void dir_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	dir_take_away(req, parent, name, false);
}

void dir_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	dir_take_away(req, parent, name, true);
}

/* 0, or why @node may not take the place of @old. */
static int dir_check_replace(const struct node *node, const struct node *old)
{
	if (node->kind == NODE_DIR && old->kind != NODE_DIR)
		return -ENOTDIR;
	if (node->kind != NODE_DIR && old->kind == NODE_DIR)
		return -EISDIR;
	return old->kind == NODE_DIR && !entries_empty(&old->entries) ? -ENOTEMPTY : 0;
}

static int dir_check_rename(const struct context *ctx, const struct node *from, struct node *to,
			    const struct node *node, const struct node *old, const char *newname, unsigned int flags)
{
	if (!node || !folder_is_there(ctx, to))
		return -ENOENT;
	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (folder_is_admin(ctx, node) || folder_is_admin(ctx, to) || folder_is_admin(ctx, from) ||
	    (old && folder_is_admin(ctx, old)))
		return -EPERM;
	if (folder_is_too_long(to, newname))
		return -ENAMETOOLONG;
	if (flags & RENAME_EXCHANGE)
		return old ? 0 : -ENOENT;
	if (old ? flags & RENAME_NOREPLACE : node_find(to, newname) != NULL) /* a tap on its way is not found */
		return -EEXIST;
	return old && old != node ? dir_check_replace(node, old) : 0;
}

/*
 * A channel without taps that takes a name for which one is kept gives way to that one. Who has it open by then has a FIFO
 * without a name.
 */
static int dir_move(fuse_req_t req, struct node *node, struct node *old, struct node *to, const char *name)
{
	struct context *ctx = context_of(req);
	bool plain = node->kind == NODE_FIFO && !node_is_tap(node) && !node->inode->taps;
	int err = names_move(ctx, node, old, to, name);
	struct node *kept = err == 0 && plain ? names_kept(req, to, name) : NULL;

	if (!kept)
		return err;
	err = names_remove(ctx, node);
	return err < 0 ? err : names_return(ctx, kept);
}

void dir_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent, const char *newname,
		unsigned int flags)
{
	struct context *ctx = context_of(req);
	struct node *from = node_get(&ctx->nodes, parent);
	struct node *to = node_get(&ctx->nodes, newparent);
	struct node *node = from ? folder_find(ctx, from, name) : NULL;
	struct node *old = to ? folder_find(ctx, to, newname) : NULL;
	int err = dir_check_rename(ctx, from, to, node, old, newname, flags);

	if (err == 0 && names_kept_waits(req, to, newname))
		return;
	if (err == 0 && (flags & RENAME_EXCHANGE))
		node_exchange(node, old);
	else if (err == 0 && old != node)
		err = dir_move(req, node, old, to, newname);
	reply_error(req, err);
}
