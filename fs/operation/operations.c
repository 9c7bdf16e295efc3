/* The table of operations, and those that are about no one noun. */
#include "operations.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "accounts.h"
#include "dir.h"
#include "file.h"
#include "folder.h"
#include "handle.h"
#include "inode.h"
#include "operation-parts.h"
#include "reply.h"
#include "tap-guard.h"
#include "xattr.h"

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	/*
	 * No splice of requests: what a handle writes must be the daemon's own copy, because a page
	 * of the writer's memory may change after its write has returned.
	 */
	conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	/*
	 * Nothing that may be parked runs in the background: it would take one of the few places there
	 * (max_background), and with them taken no close of any handle would be told; nor is it interrupted
	 * when its process is killed. That is direct I/O of io_submit(2), and faults on a private mapping.
	 */
	conn->want &= ~(unsigned)(FUSE_CAP_ASYNC_DIO | FUSE_CAP_ASYNC_READ);
	conn->max_write = 1 << 20;
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node *node = node_get(&context_of(req)->nodes, ino);

	if (!node)
		reply_error(req, -ENOENT);
	else if (tap_guard_refuses(req, node))
		reply_error(req, -EACCES);
	else
		reply_attributes(req, node);
}

static void op_set_times(struct inode *inode, const struct stat *st, int to_set)
{
	if (to_set & FUSE_SET_ATTR_ATIME)
		inode->atime = st->st_atim;
	if (to_set & FUSE_SET_ATTR_MTIME)
		inode->mtime = st->st_mtim;
	inode_times_set(inode, (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW) ? INODE_ATIME : 0) |
				       (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW) ? INODE_MTIME : 0));
	inode_touch(inode, (to_set & FUSE_SET_ATTR_ATIME_NOW ? INODE_ATIME : 0) |
				   (to_set & FUSE_SET_ATTR_MTIME_NOW ? INODE_MTIME : 0) | INODE_CTIME);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	struct context *ctx = context_of(req);
	struct node *node = node_get(&ctx->nodes, ino);

	if (!node || folder_is_admin(ctx, node)) {
		reply_error(req, node ? -EPERM : -ENOENT);
		return;
	}
	if (to_set & FUSE_SET_ATTR_MODE)
		node_chmod(node, attr->st_mode);
	if (to_set & FUSE_SET_ATTR_UID)
		node->inode->uid = attr->st_uid;
	if (to_set & FUSE_SET_ATTR_GID)
		node->inode->gid = attr->st_gid;
	if (to_set != FUSE_SET_ATTR_SIZE) /* (also where it is nothing: chown(2) to nobody new) */
		op_set_times(node->inode, attr, to_set);
	if ((to_set & FUSE_SET_ATTR_SIZE) && node->kind == NODE_HANDLE)
		handle_truncate(req, node, attr->st_size, fi);
	else
		reply_attributes(req, node);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct context *ctx = context_of(req);
	struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = NAME_MAX };
	uint64_t left;

	if (accounts_wait(req))
		return;
	left = accounts_nodes_left(ctx, req);
	if (left != UINT64_MAX) { /* else 0: as many as one likes */
		st.f_files = ctx->nodes.names + left;
		st.f_ffree = st.f_favail = left;
	}
	fuse_reply_statfs(req, &st);
}

/* ---- regular files: handles, and the files of .spfs ---- */

/* NULL: it is a handle's. */
static const struct node *op_file(fuse_req_t req, fuse_ino_t ino)
{
	const struct node *node = node_get(&context_of(req)->nodes, ino);

	return node && node->text ? node : NULL;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct node *node = op_file(req, ino);

	if (node)
		file_open(req, node, fi);
	else
		handle_open(req, ino, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	const struct node *node = op_file(req, ino);

	if (node)
		file_read(req, node, size, off);
	else
		handle_read(req, ino, size, off, fi);
}

static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	if (op_file(req, ino) || !fi->fh)
		file_poll(req, ph);
	else
		handle_poll(req, ino, fi, ph);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (op_file(req, ino))
		reply_error(req, 0);
	else
		handle_release(req, ino, fi);
}

/* Nothing is buffered between a handle and its pipe. */
static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	reply_error(req, 0);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	reply_error(req, 0);
}

const struct fuse_lowlevel_ops operations_table = {
	.init = op_init,
	.lookup = dir_lookup,
	.forget = dir_forget,
	.forget_multi = dir_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.mknod = dir_mknod,
	.mkdir = dir_mkdir,
	.symlink = dir_symlink,
	.unlink = dir_unlink,
	.rmdir = dir_rmdir,
	.rename = dir_rename,
	.link = dir_link,
	.opendir = dir_opendir,
	.readdir = dir_readdir,
	.releasedir = dir_releasedir,
	.fsyncdir = op_fsync,
	.create = handle_create,
	.open = op_open,
	.read = op_read,
	.write = handle_write,
	.poll = op_poll,
	.flush = op_flush,
	.fsync = op_fsync,
	.release = op_release,
	.statfs = op_statfs,
	.setxattr = xattr_set,
	.getxattr = xattr_get,
	.listxattr = xattr_list,
	.removexattr = xattr_remove,
};

/* ---- what they keep ---- */

int operations_create(struct context *ctx, const struct operation_hooks *hooks)
{
	struct operations *operations = calloc(1, sizeof(*operations));

	if (!operations)
		return -ENOMEM;
	operations->hooks = *hooks;
	LIST_INIT(&operations->handles);
	LIST_INIT(&operations->listings);
	ctx->operations = operations;
	return 0;
}

void operations_leave(struct context *ctx)
{
	handles_leave(ctx);
}

void operations_destroy(struct context *ctx)
{
	if (!ctx->operations)
		return;
	handles_destroy(ctx);
	dir_close_all(ctx);
	free(ctx->operations);
	ctx->operations = NULL;
}
