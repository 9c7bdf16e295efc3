#include "dir.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "folder.h"
#include "log.h"
#include "names.h"
#include "operation-parts.h"
#include "packets.h"
#include "reply.h"
#include "tee.h"

/* ---- finding ---- */

void dir_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct context *ctx = context_of(req);
	struct node *dir = node_get(&ctx->nodes, parent);
	struct node *node;

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
		ctx->operations->hooks.file_lookup(req, node);
		return;
	}
	if (!node) {
		reply_error(req, -ENOENT);
		return;
	}
	if (dir != ctx->numbers)
		node = packets_shown(ctx, node);
	if (node)
		reply_entry(req, node);
	else
		reply_error(req, -ENOMEM);
}

static void dir_forget_one(struct context *ctx, uint64_t ino, uint64_t count)
{
	struct node *node = node_get(&ctx->nodes, ino);

	if (!node)
		return;
	node->lookups -= count < node->lookups ? count : node->lookups;
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

/* ---- making ---- */

static int dir_make_channel(struct context *ctx, struct node *node, struct node *dir, const char *name,
			    struct node **shown)
{
	int err;

	node->inode->origin = node;
	node->inode->packets = ctx->defaults.value[SETTING_PACKETS];
	/* The answer has to be a FIFO, but the one that holds messages is for nobody. */
	*shown = node->inode->packets ? packets_stand_in(ctx, node->inode, NODE_FIFO) : node;
	err = *shown ? node_attach(&ctx->nodes, node, dir, name) : -ENOMEM;
	if (err == 0 && ctx->defaults.value[SETTING_EOF] == EOF_NEVER)
		err = names_begin(ctx, node, &ctx->defaults);
	if (err < 0 && *shown && *shown != node)
		node_release(&ctx->nodes, *shown);
	return err;
}

static int dir_make_node(fuse_req_t req, fuse_ino_t parent, const char *name, enum node_kind kind, mode_t mode,
			 struct node **shown)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	struct context *ctx = context_of(req);
	gid_t gid = caller->gid;
	struct node *node, *dir;
	int err = folder_for_new(ctx, parent, name, &dir);

	if (err < 0)
		return err;
	if (dir->inode->mode & S_ISGID) {
		gid = dir->inode->gid;
		if (kind == NODE_DIR)
			mode |= S_ISGID;
	}
	node = node_create(&ctx->nodes, kind, NULL, mode, caller->uid, gid);
	if (!node)
		return -ENOMEM;
	node->pins++;
	*shown = node;
	err = kind == NODE_FIFO ? dir_make_channel(ctx, node, dir, name, shown) :
				  node_attach(&ctx->nodes, node, dir, name);
	node->pins--;
	if (err < 0)
		node_release(&ctx->nodes, node);
	return err;
}

static void dir_make(fuse_req_t req, fuse_ino_t parent, const char *name, enum node_kind kind, mode_t mode)
{
	struct node *shown;
	int err = dir_make_node(req, parent, name, kind, mode, &shown);

	if (err < 0)
		reply_error(req, err);
	else
		reply_entry(req, shown);
}

/* Whether it is the daemon that binds its control socket. */
static bool dir_is_control(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct context *ctx = context_of(req);

	return S_ISSOCK(mode) && parent == ctx->admin->id && !strcmp(name, folder_control_name) &&
	       ctx->socket->pending && fuse_req_ctx(req)->pid == ctx->scout;
}

void dir_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	if (dir_is_control(req, parent, name, mode)) {
		struct node *node = context_of(req)->socket;

		node->pending = false;
		reply_entry(req, node);
		return;
	}
	if (!S_ISFIFO(mode) && !S_ISREG(mode)) {
		log_user_info(fuse_req_ctx(req)->uid, "mknod %s: only channels live here, no sockets or devices", name);
		reply_error(req, -EPERM);
		return;
	}
	dir_make(req, parent, name, NODE_FIFO, S_IFIFO | (mode & 07777));
}

void dir_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	dir_make(req, parent, name, NODE_DIR, S_IFDIR | (mode & 07777));
}

void dir_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	log_user_info(fuse_req_ctx(req)->uid, "symlink %s: only channels live here, no symbolic links", name);
	reply_error(req, -EPERM);
}

/* ---- linking: a tap ---- */

struct dir_linking {
	struct tee_request tee;
	fuse_req_t req;
	struct node *stand_in; /* the answer; NULL: the tap is */
};

static void dir_linked(struct tee_request *t)
{
	struct dir_linking *l = container_of(t, struct dir_linking, tee);
	struct context *ctx = t->ctx;

	if (t->err == 0)
		reply_entry(l->req, l->stand_in ? l->stand_in : t->tap);
	else
		reply_error(l->req, t->err);
	if (t->err < 0 && l->stand_in)
		node_release(&ctx->nodes, l->stand_in);
	free(l);
}

/*
 * A tap changes the channel for all: what was an ordinary FIFO's reader has nothing to read any more. So it is for who may
 * write the channel, as spfs.tee is, or owns it: the kernel asks for that (protected_hardlinks of proc_sys_fs(5)), but
 * not everywhere.
 */
static bool dir_may_link(const struct rights *r, const struct inode *inode)
{
	return r->uid == inode->uid || access_check(r, inode, W_OK) == 0;
}

/* link(2) is to be answered with a node of the type that was linked; the next look-up finds the tap. */
static int dir_link_start(struct dir_linking *l)
{
	_cleanup_rights_ struct rights rights = { 0 };
	struct node *node = l->tee.node;
	int err = access_rights(l->req, &rights);

	if (err == 0 && !dir_may_link(&rights, node->inode))
		err = -EPERM;
	if (err < 0)
		return err;
	if (node->kind == NODE_HANDLE) {
		l->stand_in = packets_stand_in(l->tee.ctx, node->inode, NODE_HANDLE);
		if (!l->stand_in)
			return -ENOMEM;
	}
	err = tee_start(&l->tee, &rights);
	if (err < 0 && l->stand_in)
		node_release(&l->tee.ctx->nodes, l->stand_in);
	return err;
}

void dir_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	struct context *ctx = context_of(req);
	struct node *node = node_get(&ctx->nodes, ino), *dir;
	int err = folder_for_new(ctx, newparent, newname, &dir);
	struct dir_linking *l = NULL;

	if (err == 0 && !node)
		err = -ENOENT;
	else if (err == 0 && node->kind != NODE_FIFO && (node->kind != NODE_HANDLE || !node->inode->packets))
		err = -EPERM;
	if (err == 0) {
		l = calloc(1, sizeof(*l));
		err = l ? 0 : -ENOMEM;
	}
	if (err == 0) {
		l->tee = (struct tee_request){
			.ctx = ctx, .node = node, .dir = dir, .name = newname, .done = dir_linked
		};
		l->req = req;
		err = dir_link_start(l);
	}
	if (err == 0)
		return;
	free(l);
	reply_error(req, err);
}
