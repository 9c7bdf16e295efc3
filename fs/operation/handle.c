/* A handle's part in its channel begins with its opening and ends when it is released or the daemon leaves. */
#include "handle-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "base.h"
#include "channel.h"
#include "folder.h"
#include "log.h"
#include "names.h"
#include "operation-parts.h"
#include "reply.h"
#include "vacancy.h"

/* ---- opening and closing ---- */

static void handle_work_open(struct settle *settle)
{
	struct handle *h = container_of(settle, struct handle, opening);
	struct channel *ch = hold_channel(&h->hold);

	h->err = channel_start(ch);
	if (h->err == 0)
		h->err = feed_create(&h->feed, ch);
}

static void handle_opened(struct settle *settle)
{
}

static void handle_work_close(struct settle *settle)
{
	struct handle *h = container_of(settle, struct handle, closing);

	if (h->feed)
		feed_cancel_all(h->feed);
	feed_destroy(h->feed);
	h->feed = NULL;
}

static void handle_free(struct context *ctx, struct handle *h)
{
	hold_drop(&h->hold);
	h->node->pins--;
	node_release(&ctx->nodes, h->node);
	LIST_REMOVE(h, entry);
	charge_finish(&h->descriptors);
	free(h);
}

static void handle_closed(struct settle *settle)
{
	struct handle *h = container_of(settle, struct handle, closing);

	h->closed = true;
	hold_drop(&h->hold);
	if (h->released)
		handle_free(settle->job.ctx, h);
}

/* Ends the handle's part in the channel. */
static void handle_detach(struct handle *h)
{
	h->detached = true;
	settle_post_closing(&h->closing, &h->hold, handle_work_close, handle_closed);
}

/* Nobody has it open any more. */
static void handle_let_go(struct context *ctx, struct handle *h)
{
	h->released = true;
	h->node->inode->handles--;
	if (!h->detached)
		handle_detach(h);
	else if (h->closed)
		handle_free(ctx, h);
}

void handles_leave(struct context *ctx)
{
	struct handle *h;

	LIST_FOREACH(h, &ctx->operations->handles, entry)
		if (!h->detached)
			handle_detach(h);
}

void handles_destroy(struct context *ctx)
{
	struct handle *h;

	while ((h = LIST_FIRST(&ctx->operations->handles)))
		handle_free(ctx, h);
}

/* Charges the inlet to who opens it. Returns 0, -ENOMEM, or -EDQUOT, logged. */
static int handle_charge(struct handle *h, fuse_req_t req, const struct node *node)
{
	struct account *a = accounts_of_request(context_of(req), req);
	const struct node *named = node_name(node);
	int err;

	h->descriptors = (struct charge){ .account = a, .of = ACCOUNT_DESCRIPTORS };
	err = a ? charge_set(&h->descriptors, 1) : -ENOMEM;
	if (err == -EDQUOT)
		accounts_log_refusal(a, ACCOUNT_DESCRIPTORS, named->name ? named->name : "?");
	return err;
}

/* A handle of @node. Returns 0 or a negative errno. */
static int handle_new(struct handle **out, fuse_req_t req, struct node *node)
{
	struct context *ctx = context_of(req);
	struct handle *h = calloc(1, sizeof(*h));
	int err = h ? hold_take(&h->hold, ctx, node) : -ENOMEM;

	if (err == 0)
		err = handle_charge(h, req, node);
	if (err == 0)
		err = hold_object(&h->hold);
	if (err < 0) {
		if (h) {
			charge_finish(&h->descriptors);
			hold_drop(&h->hold);
		}
		free(h);
		return err;
	}
	h->node = node;
	node->pins++;
	node->inode->handles++;
	h->packets = node->inode->packets;
	LIST_INSERT_HEAD(&ctx->operations->handles, h, entry);
	settle_post(&h->opening, &h->hold, handle_work_open, handle_opened);
	*out = h;
	return 0;
}

static void handle_fill(struct fuse_file_info *fi, struct handle *h)
{
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
}

/* Whether the handle may be opened. Returns 0 or a negative errno, and the log says why. */
static int handle_refuse_open(fuse_req_t req, const struct inode *inode, const char *name, int flags)
{
	if (!inode->packets || (flags & O_ACCMODE) == O_WRONLY)
		return 0;
	log_user_info(fuse_req_ctx(req)->uid, "%s: a packet channel is read through taps", name);
	return -EACCES;
}

/* What copies and searches whole folders (tar, cp, grep) reads what looks like a file: this one is empty. */
static void handle_open_empty(fuse_req_t req, struct fuse_file_info *fi)
{
	fi->fh = 0;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

/*
 * The answers to OPEN and CREATE for a packet channel, which libfuse cannot give: a stream (FOPEN_STREAM), so that each
 * write(2) begins at offset 0, but what the kernel cuts off it does not. Return like fuse_reply_open().
 */
static int handle_reply_stream(fuse_req_t req, const struct fuse_entry_param *e, const struct fuse_file_info *fi)
{
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = { .open = { .fh = fi->fh, .open_flags = FOPEN_DIRECT_IO | FOPEN_STREAM | FOPEN_NONSEEKABLE } };

	if (!e)
		return fuse_reply_buf(req, (const char *)&out.open, sizeof(out.open));
	out.entry.nodeid = e->ino;
	out.entry.attr = (struct fuse_attr){
		.ino = e->attr.st_ino,
		.mode = e->attr.st_mode,
		.nlink = (uint32_t)e->attr.st_nlink,
		.uid = e->attr.st_uid,
		.gid = e->attr.st_gid,
		.blksize = (uint32_t)e->attr.st_blksize,
		.atime = (uint64_t)e->attr.st_atim.tv_sec,
		.atimensec = (uint32_t)e->attr.st_atim.tv_nsec,
		.mtime = (uint64_t)e->attr.st_mtim.tv_sec,
		.mtimensec = (uint32_t)e->attr.st_mtim.tv_nsec,
		.ctime = (uint64_t)e->attr.st_ctim.tv_sec,
		.ctimensec = (uint32_t)e->attr.st_ctim.tv_nsec,
	};
	return fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

/* Names and opens them; pinned. Returns 0 or a negative errno. */
static int handle_make_named(fuse_req_t req, struct node *fifo, struct node *node, struct node *dir, const char *name,
			     struct handle **h)
{
	struct context *ctx = context_of(req);
	bool kept = vacancy_is(fifo);
	int err = kept ? 0 : accounts_charge_node(ctx, req, fifo, name);

	if (err == 0)
		err = accounts_charge_node(ctx, req, node, name);
	if (err == 0)
		err = kept ? names_return(ctx, fifo) : node_attach(&ctx->nodes, fifo, dir, name);
	return err < 0 ? err : handle_new(h, req, node);
}

/* A new channel, or the one that was kept for this name. NULL: out of memory. */
static struct node *handle_make_channel(fuse_req_t req, const struct node *dir, const char *name, mode_t mode)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	struct context *ctx = context_of(req);
	gid_t gid = dir->inode->mode & S_ISGID ? dir->inode->gid : caller->gid;
	struct node *fifo = names_kept(req, dir, name);

	if (fifo)
		return fifo;
	fifo = node_create(&ctx->nodes, NODE_FIFO, NULL, S_IFIFO | (mode & 07777), caller->uid, gid);
	if (fifo) {
		fifo->inode->origin = fifo;
		fifo->inode->packets = ctx->defaults.value[SETTING_PACKETS];
	}
	return fifo;
}

/* Makes the channel and the handle that creates it. Returns 0 or a negative errno, and nothing is left then. */
static int handle_make(fuse_req_t req, struct node *dir, const char *name, mode_t mode, int flags, struct handle **h)
{
	struct context *ctx = context_of(req);
	struct node *fifo = handle_make_channel(req, dir, name, mode);
	struct node *node = fifo ? node_create(&ctx->nodes, NODE_HANDLE, fifo->inode, 0, 0, 0) : NULL;
	int err = -ENOMEM;

	if (node) {
		fifo->pins++;
		node->pins++;
		err = handle_refuse_open(req, fifo->inode, name, flags);
		if (err == 0)
			err = handle_make_named(req, fifo, node, dir, name, h);
		if (err < 0 && fifo->parent)
			names_remove(ctx, fifo);
		fifo->pins--;
		node->pins--;
		node_release(&ctx->nodes, node);
	}
	if (fifo)
		node_release(&ctx->nodes, fifo);
	return err;
}

void handle_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct context *ctx = context_of(req);
	struct fuse_entry_param e;
	struct node *dir;
	struct handle *h;
	int err = folder_for_new(ctx, parent, name, &dir);

	if (err == 0 && (names_kept_waits(req, dir, name) || accounts_wait(req)))
		return;
	if (err == 0)
		err = handle_make(req, dir, name, mode, fi->flags, &h);
	if (err < 0) {
		reply_error(req, err);
		return;
	}
	handle_fill(fi, h);
	reply_fill_entry(h->node, &e);
	err = h->packets ? handle_reply_stream(req, &e, fi) : fuse_reply_create(req, &e, fi);
	if (err == -ENOENT) { /* the caller was killed, and the kernel forgets all of it */
		h->node->lookups--;
		handle_let_go(ctx, h);
	}
}

/* A packet channel, or a handle opened again, through /proc/PID/fd or /dev/stdout. */
void handle_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct context *ctx = context_of(req);
	struct node *node = node_get(&ctx->nodes, ino);
	struct handle *h;
	int err = !node ? -ENOENT : node->kind != NODE_HANDLE ? -EINVAL : 0;

	if (err == 0 && node->inode->packets && (fi->flags & O_ACCMODE) == O_RDONLY) {
		handle_open_empty(req, fi);
		return;
	}
	if (err == 0) {
		const struct node *named = node_name(node);

		err = handle_refuse_open(req, node->inode, named->name ? named->name : "?", fi->flags);
	}
	if (err == 0 && accounts_wait(req))
		return;
	if (err == 0)
		err = handle_new(&h, req, node);
	if (err < 0) {
		reply_error(req, err);
		return;
	}
	handle_fill(fi, h);
	err = h->packets ? handle_reply_stream(req, NULL, fi) : fuse_reply_open(req, fi);
	if (err == -ENOENT)
		handle_let_go(ctx, h);
}

void handle_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (handle_of(fi))
		handle_let_go(context_of(req), handle_of(fi));
	reply_error(req, 0);
}
