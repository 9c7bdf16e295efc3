/*
 * Names are made: channels and folders, and nothing else. What was made is either attached to its folder and answered, or
 * released with the error; until then it is pinned.
 */
#include "dir-parts.h"

#include <errno.h>
#include <sys/stat.h>

#include "accounts.h"
#include "folder.h"
#include "log.h"
#include "names.h"
#include "operation-parts.h"
#include "reply.h"

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
	struct node *shown, *dir = node_get(&context_of(req)->nodes, parent);
	int err;

	if (dir && ((kind == NODE_FIFO && names_kept_waits(req, dir, name)) || accounts_wait(req)))
		return;
	err = dir_make_node(req, parent, name, kind, mode, &shown);

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
