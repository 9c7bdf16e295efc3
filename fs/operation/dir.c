#include "dir.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "folder.h"
#include "log.h"
#include "names.h"
#include "operation-parts.h"
#include "packets.h"
#include "reply.h"
#include "settle.h"
#include "tee.h"
#include "visit.h"

/* ---- finding ---- */

/* *node: the nameless node that stands for the name in an answer, charged to the caller. Returns 0 or a negative errno. */
static int dir_stand_in(fuse_req_t req, struct inode *inode, enum node_kind kind, const char *name, struct node **node)
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
	fuse_ino_t parent;
	char name[NAME_MAX + 1];
};

static void dir_look(fuse_req_t req, fuse_ino_t parent, const char *name, bool waits);

static void dir_look_on(struct settle_waiter *w)
{
	struct dir_looking *l = container_of(w, struct dir_looking, waiter);

	dir_look(l->req, l->parent, l->name, false);
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
	l->parent = parent;
	strcpy(l->name, name);
	settle_wait(context_of(req), node->inode, &l->waiter);
	return true;
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
		ctx->operations->hooks.file_lookup(req, node);
		return;
	}
	if (!node) {
		reply_error(req, -ENOENT);
		return;
	}
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

/* ---- making ---- */

/*
 * mknod(2) of a regular file makes a channel too, as open(2) does, and is to be answered with one; the next look-up
 * finds the FIFO. Of a packet channel the answer has to be a FIFO, but the one that holds messages is for nobody.
 */
static int dir_answer(fuse_req_t req, struct node *node, mode_t type, const char *name, struct node **shown)
{
	if (S_ISREG(type))
		return dir_stand_in(req, node->inode, NODE_HANDLE, name, shown);
	*shown = node;
	return node->inode->packets ? dir_stand_in(req, node->inode, NODE_FIFO, name, shown) : 0;
}

static int dir_make_channel(fuse_req_t req, struct node *node, struct node *dir, const char *name, mode_t type,
			    struct node **shown)
{
	struct context *ctx = context_of(req);
	int err;

	node->inode->origin = node;
	node->inode->packets = ctx->defaults.value[SETTING_PACKETS];
	err = dir_answer(req, node, type, name, shown);
	if (err < 0)
		return err;
	err = node_attach(&ctx->nodes, node, dir, name);
	if (err == 0 && ctx->defaults.value[SETTING_EOF] == EOF_NEVER)
		err = names_begin(ctx, node, &ctx->defaults);
	if (err < 0 && *shown != node)
		node_release(&ctx->nodes, *shown);
	return err;
}

/* The channel that was kept for this name is there again, as it was, but for its time. */
static int dir_make_again(fuse_req_t req, struct node *node, mode_t type, const char *name, struct node **shown)
{
	struct context *ctx = context_of(req);
	int err = dir_answer(req, node, type, name, shown);

	if (err < 0)
		return err;
	err = names_return(ctx, node);
	if (err < 0 && *shown != node)
		node_release(&ctx->nodes, *shown);
	return err;
}

static int dir_make_node(fuse_req_t req, fuse_ino_t parent, const char *name, enum node_kind kind, mode_t mode,
			 struct node **shown)
{
	mode_t type = kind == NODE_DIR ? S_IFDIR : S_IFIFO;
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	struct context *ctx = context_of(req);
	gid_t gid = caller->gid;
	struct node *node, *dir;
	int err = folder_for_new(ctx, parent, name, &dir);

	if (err < 0)
		return err;
	node = kind == NODE_FIFO ? names_kept(req, dir, name) : NULL;
	if (node)
		return dir_make_again(req, node, mode, name, shown);
	if (dir->inode->mode & S_ISGID) {
		gid = dir->inode->gid;
		if (kind == NODE_DIR)
			mode |= S_ISGID;
	}
	node = node_create(&ctx->nodes, kind, NULL, type | (mode & 07777), caller->uid, gid);
	if (!node)
		return -ENOMEM;
	node->pins++;
	*shown = node;
	err = accounts_charge_node(ctx, req, node, name);
	if (err == 0)
		err = kind == NODE_FIFO ? dir_make_channel(req, node, dir, name, mode, shown) :
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

/* The socket that the daemon binds; NULL: it is not the daemon. */
static struct node *dir_bound(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct context *ctx = context_of(req);

	return S_ISSOCK(mode) && fuse_req_ctx(req)->pid == ctx->scout ? folder_to_bind(ctx, parent, name) : NULL;
}

void dir_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct node *node = dir_bound(req, parent, name, mode);

	if (node) {
		node->pending = false;
		reply_entry(req, node);
		return;
	}
	if (!S_ISFIFO(mode) && !S_ISREG(mode)) {
		log_user_info(fuse_req_ctx(req)->uid, "mknod %s: only channels live here, no sockets or devices", name);
		reply_error(req, -EPERM);
		return;
	}
	dir_make(req, parent, name, NODE_FIFO, mode);
}

void dir_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	dir_make(req, parent, name, NODE_DIR, mode);
}

void dir_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	log_user_info(fuse_req_ctx(req)->uid, "symlink %s: only channels live here, no symbolic links", name);
	reply_error(req, -EPERM);
}

/* ---- linking: a tap ---- */

struct dir_linking {
	struct tee_request tee;
	fuse_req_t req;        /* NULL: answered, it was late */
	struct node *stand_in; /* the answer; NULL: the tap is */
};

static void dir_link_late(struct tee_request *t)
{
	reply_late(&container_of(t, struct dir_linking, tee)->req);
}

static void dir_linked(struct tee_request *t)
{
	struct dir_linking *l = container_of(t, struct dir_linking, tee);
	struct context *ctx = t->ctx;

	if (t->err == 0)
		reply_entry(l->req, l->stand_in ? l->stand_in : t->tap);
	else if (l->req)
		reply_error(l->req, t->err);
	if (t->err < 0 && l->stand_in)
		node_release(&ctx->nodes, l->stand_in);
	free(l);
}

/* link(2) is to be answered with a node of the type that was linked; the next look-up finds the tap. */
static int dir_link_start(struct dir_linking *l)
{
	_cleanup_rights_ struct rights rights = { 0 };
	struct node *node = l->tee.node;
	int err = access_rights(l->req, &rights);

	if (err == 0 && !tee_is_allowed(&rights, node->inode))
		err = -EPERM;
	if (err < 0)
		return err;
	if (node->kind == NODE_HANDLE)
		err = dir_stand_in(l->req, node->inode, NODE_HANDLE, l->tee.name, &l->stand_in);
	if (err < 0)
		return err;
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
			.ctx = ctx, .node = node, .dir = dir, .name = newname, .done = dir_linked, .late = dir_link_late
		};
		l->req = req;
		err = dir_link_start(l);
	}
	if (err == 0)
		return;
	free(l);
	reply_error(req, err);
}
