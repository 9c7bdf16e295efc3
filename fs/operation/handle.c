#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "dir.h"
#include "engine.h"
#include "feed.h"
#include "inode.h"
#include "log.h"
#include "tee.h"

struct handle {
	LIST_ENTRY(handle) entry;
	struct job opening;
	struct job closing;
	struct node *node;
	struct channel *channel;
	bool detached; /* it has no part in the channel any more; its feed goes */
	bool closed;   /* the feed is gone */
	bool released; /* nobody has it open */
	bool packets;  /* of a packet channel */
	uint64_t pos;  /* with packets: where the rest of a write that the kernel cut would be */

	/* The worker's. */
	struct feed *feed;
	int err; /* why there is none */
	struct feed_op watch; /* poll(2) wants to be told */
	bool watching;
	struct fuse_pollhandle *ph;
};

enum request_kind { REQUEST_WRITE, REQUEST_READ, REQUEST_TRUNCATE };

/* A read, write or ftruncate on its way. Freed when it and its cancellation are back. */
struct request {
	struct job job;
	struct job cancel;
	bool cancelling;
	bool finished;
	enum request_kind kind;
	struct handle *handle;
	fuse_req_t req;
	struct feed_op op;
	ssize_t result;
	char buf[];
};

struct poll_request {
	struct job job;
	struct handle *handle;
	fuse_req_t req;
	struct fuse_pollhandle *ph;
	short events;
	short revents;
};

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (void *)(uintptr_t)fi->fh;
}

static struct loop *worker_of(const struct handle *h)
{
	return h->channel->worker->loop;
}

/* ---- opening and closing ---- */

static void work_open(struct job *job)
{
	struct handle *h = container_of(job, struct handle, opening);

	h->err = channel_start(h->channel);
	if (h->err == 0)
		h->err = feed_create(&h->feed, h->channel);
	if (h->err < 0)
		log_err("%s: cannot write what created it: %s", h->channel->label, strerror(-h->err));
}

static void finish_open(struct job *job)
{
}

static void watch_done(struct feed_op *op, ssize_t result)
{
	struct handle *h = container_of(op, struct handle, watch);

	h->watching = false;
	if (result > 0)
		fuse_lowlevel_notify_poll(h->ph);
	fuse_pollhandle_destroy(h->ph);
	h->ph = NULL;
}

static void work_close(struct job *job)
{
	struct handle *h = container_of(job, struct handle, closing);

	if (h->feed)
		feed_cancel_all(h->feed);
	feed_destroy(h->feed);
	h->feed = NULL;
}

static void handle_free(struct server *s, struct handle *h)
{
	struct node *node = h->node;
	struct inode *inode = node->inode;

	inode->refs++;
	inode->busy--;
	node->pins--;
	node_release(&s->nodes, node);
	tee_channel_put(s, inode);
	inode_put(inode);
	LIST_REMOVE(h, entry);
	free(h);
}

static void finish_close(struct job *job)
{
	struct handle *h = container_of(job, struct handle, closing);

	h->closed = true;
	if (h->released)
		handle_free(job->server, h);
}

/* Ends the handle's part in the channel. */
static void detach(struct server *s, struct handle *h)
{
	h->detached = true;
	job_post(s, worker_of(h), &h->closing, work_close, finish_close);
}

/* Nobody has it open any more. */
static void release(struct server *s, struct handle *h)
{
	h->released = true;
	h->node->inode->handles--;
	if (!h->detached)
		detach(s, h);
	else if (h->closed)
		handle_free(s, h);
}

void handle_detach_all(struct server *s)
{
	struct handle *h;

	LIST_FOREACH(h, &s->handles, entry)
		if (!h->detached)
			detach(s, h);
}

void handle_free_all(struct server *s)
{
	struct handle *h;

	while ((h = LIST_FIRST(&s->handles)))
		handle_free(s, h);
}

/* @fifo: the name's node, for the channel's label. Returns 0 or a negative errno. */
static int handle_new(struct handle **out, struct server *s, struct node *fifo, struct node *node)
{
	int err = s->left ? -ENOTCONN : tee_channel(s, fifo);
	struct handle *h;

	if (err < 0)
		return err;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->node = node;
	h->channel = node->inode->channel;
	node->pins++;
	node->inode->busy++;
	node->inode->handles++;
	h->packets = node->inode->packets;
	LIST_INSERT_HEAD(&s->handles, h, entry);
	job_post(s, worker_of(h), &h->opening, work_open, finish_open);
	*out = h;
	return 0;
}

static void fill(struct fuse_file_info *fi, struct handle *h)
{
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
}

/* Whether the handle may be opened. Returns 0 or a positive errno, and the log says why. */
static int refuse_open(const struct inode *inode, const char *name, int flags)
{
	const char *why = NULL;
	int err = EACCES;

	if (inode->packets && (flags & O_ACCMODE) != O_WRONLY) {
		why = "a packet channel is read through taps";
	} else if (inode->packets && (flags & O_APPEND)) {
		/* Then the rest of a write that the kernel has cut would pass for a message of its own. */
		why = "a packet channel is not opened to append: each write is a message anyway";
		err = EINVAL;
	}
	if (why)
		log_info("%s: %s", name, why);
	return why ? err : 0;
}

/*
 * The answers to OPEN and CREATE for a packet channel, which libfuse cannot give: a stream (FOPEN_STREAM), so that each
 * write(2) begins at offset 0, but what the kernel cuts off it does not. Return like fuse_reply_open().
 */
static int reply_stream(fuse_req_t req, const struct fuse_entry_param *e, const struct fuse_file_info *fi)
{
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = { .open = { .fh = fi->fh, .open_flags = FOPEN_DIRECT_IO | FOPEN_STREAM | FOPEN_NONSEEKABLE } };

	if (!e)
		return fuse_reply_buf(req, (const char *)&out.open, sizeof(out.open));
	out.entry.nodeid = e->ino;
	out.entry.attr = (struct fuse_attr){
		.ino = e->attr.st_ino, .mode = e->attr.st_mode, .nlink = (uint32_t)e->attr.st_nlink,
		.uid = e->attr.st_uid, .gid = e->attr.st_gid, .blksize = (uint32_t)e->attr.st_blksize,
		.atime = (uint64_t)e->attr.st_atim.tv_sec, .atimensec = (uint32_t)e->attr.st_atim.tv_nsec,
		.mtime = (uint64_t)e->attr.st_mtim.tv_sec, .mtimensec = (uint32_t)e->attr.st_mtim.tv_nsec,
		.ctime = (uint64_t)e->attr.st_ctim.tv_sec, .ctimensec = (uint32_t)e->attr.st_ctim.tv_nsec,
	};
	return fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

void handle_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct server *s = server_of(req);
	struct fuse_entry_param e;
	struct node *fifo, *node, *dir;
	struct handle *h = NULL;
	gid_t gid = ctx->gid;
	int err = 0;

	dir = dir_for_new(s, parent, name, &err);
	if (!dir) {
		fuse_reply_err(req, err);
		return;
	}
	if (dir->inode->mode & S_ISGID)
		gid = dir->inode->gid;
	fifo = node_create(&s->nodes, NODE_FIFO, NULL, S_IFIFO | (mode & 07777), ctx->uid, gid);
	node = fifo ? node_create(&s->nodes, NODE_HANDLE, fifo->inode, 0, 0, 0) : NULL;
	if (fifo) {
		fifo->inode->origin = fifo;
		fifo->inode->packets = s->defaults.value[SETTING_PACKETS];
		err = -refuse_open(fifo->inode, name, fi->flags);
	}
	if (err == 0)
		err = node ? node_attach(&s->nodes, fifo, dir, name) : -ENOMEM;
	if (err == 0)
		err = handle_new(&h, s, fifo, node);
	if (err < 0) {
		if (node)
			node_release(&s->nodes, node);
		if (fifo && fifo->parent)
			dir_remove(s, fifo);
		else if (fifo)
			node_release(&s->nodes, fifo);
		if (err == -EDQUOT)
			log_info("create %s: the quota of user %u is used up", name, ctx->uid);
		fuse_reply_err(req, -err);
		return;
	}
	fill(fi, h);
	dir_entry(node, &e);
	err = h->packets ? reply_stream(req, &e, fi) : fuse_reply_create(req, &e, fi);
	if (err == -ENOENT) {
		node->lookups--;
		release(s, h);
	}
}

/* A packet channel, or a handle opened again, through /proc/PID/fd or /dev/stdout. */
void handle_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct node *node = node_get(&s->nodes, ino);
	struct handle *h = NULL;
	int err;

	if (!node || node->kind != NODE_HANDLE) {
		fuse_reply_err(req, node ? EINVAL : ENOENT);
		return;
	}
	err = -refuse_open(node->inode, node->inode->channel ? node->inode->channel->label : "?", fi->flags);
	if (err == 0)
		err = handle_new(&h, s, node->inode->origin ? node->inode->origin : node, node);
	if (err < 0) {
		fuse_reply_err(req, -err);
		return;
	}
	fill(fi, h);
	err = h->packets ? reply_stream(req, NULL, fi) : fuse_reply_open(req, fi);
	if (err == -ENOENT)
		release(s, h);
}

void handle_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	release(server_of(req), handle_of(fi));
	fuse_reply_err(req, 0);
}

/* ---- reading and writing ---- */

static void request_done(struct feed_op *op, ssize_t result)
{
	struct request *r = container_of(op, struct request, op);

	r->result = result;
	loop_post(r->job.server->loop, &r->job.task);
}

static void back(struct loop_task *task)
{
	struct job *job = container_of(task, struct job, task);

	job->finish(job);
}

/* Unlike other jobs, this one comes back when its feed_op is done. */
static void work_submit(struct loop_task *task)
{
	struct request *r = container_of(container_of(task, struct job, task), struct request, job);

	r->job.task.run = back;
	if (!r->handle->feed)
		request_done(&r->op, r->handle->err);
	else
		feed_submit(r->handle->feed, &r->op);
}

static void reply_truncate(struct request *r)
{
	struct stat st;

	if (r->result < 0) {
		fuse_reply_err(r->req, (int)-r->result);
		return;
	}
	node_stat(r->handle->node, &st);
	fuse_reply_attr(r->req, &st, 0);
}

static void request_free(struct request *r)
{
	if (r->finished && !r->cancelling)
		free(r);
}

static void finish_request(struct job *job)
{
	struct request *r = container_of(job, struct request, job);
	struct handle *h = r->handle;

	fuse_req_interrupt_func(r->req, NULL, NULL);
	if (r->kind == REQUEST_READ) {
		if (r->result < 0)
			fuse_reply_err(r->req, (int)-r->result);
		else
			fuse_reply_buf(r->req, r->buf, (size_t)r->result);
	} else {
		h->pos += r->op.moved;
		if (h->node->size < h->pos && !h->packets)
			h->node->size = h->pos;
		if (r->kind == REQUEST_TRUNCATE)
			reply_truncate(r);
		else if (r->result < 0)
			fuse_reply_err(r->req, (int)-r->result);
		else
			fuse_reply_write(r->req, (size_t)r->result);
	}
	r->finished = true;
	request_free(r);
}

static void work_cancel(struct job *job)
{
	struct request *r = container_of(job, struct request, cancel);

	if (r->handle->feed)
		feed_cancel(r->handle->feed, &r->op);
}

static void finish_cancel(struct job *job)
{
	struct request *r = container_of(job, struct request, cancel);

	r->cancelling = false;
	request_free(r);
}

/* On the FUSE thread, like the reply: @data is there. */
static void interrupted(fuse_req_t req, void *data)
{
	struct request *r = data;

	if (r->cancelling || r->finished || r->handle->detached)
		return;
	r->cancelling = true;
	job_post(r->job.server, worker_of(r->handle), &r->cancel, work_cancel, finish_cancel);
}

static void submit(fuse_req_t req, struct handle *h, enum request_kind kind, const char *buf, size_t len,
		   size_t zeros, int flags)
{
	struct server *s = server_of(req);
	struct request *r = h->detached ? NULL : malloc(sizeof(*r) + len);

	if (!r) {
		fuse_reply_err(req, h->detached ? ENOTCONN : ENOMEM);
		return;
	}
	memset(r, 0, sizeof(*r));
	if (buf)
		memcpy(r->buf, buf, len);
	r->kind = kind;
	r->handle = h;
	r->req = req;
	r->job.server = s;
	r->job.finish = finish_request;
	r->job.task.run = work_submit;
	r->op.kind = kind == REQUEST_READ ? FEED_READ : FEED_WRITE;
	r->op.nonblock = flags & O_NONBLOCK;
	r->op.zeros = zeros;
	r->op.buf = r->buf;
	r->op.len = len;
	r->op.done = request_done;
	loop_post(worker_of(h), &r->job.task);
	fuse_req_interrupt_func(req, interrupted, r);
}

void handle_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	submit(req, handle_of(fi), REQUEST_READ, NULL, size, 0, fi->flags);
}

static void write_message(fuse_req_t req, struct handle *h, const char *buf, size_t size, uint64_t off, int flags)
{
	if (flags & O_APPEND) {
		log_info("%s: a packet channel takes nothing to append", h->channel->label);
		fuse_reply_err(req, EINVAL);
	} else if (size > PIPE_BUF || (off && off == h->pos)) {
		log_info("%s: message refused: %s", h->channel->label, size > PIPE_BUF ?
			 "longer than PIPE_BUF" : "it is in too many pieces, or spliced");
		fuse_reply_err(req, EMSGSIZE);
	} else {
		h->pos = off;
		submit(req, h, REQUEST_WRITE, buf, size, 0, flags);
	}
}

void handle_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		  struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	uint64_t at = fi->flags & O_APPEND ? h->pos : (uint64_t)off;

	if (h->packets) {
		write_message(req, h, buf, size, (uint64_t)off, fi->flags);
		return;
	}
	if (at < h->pos) {
		log_info("write at %ju, behind %ju: a channel has no way back", (uintmax_t)at, (uintmax_t)h->pos);
		fuse_reply_err(req, ESPIPE);
		return;
	}
	submit(req, h, REQUEST_WRITE, buf, size, at - h->pos, fi->flags);
}

void handle_truncate(fuse_req_t req, struct node *node, off_t size, struct fuse_file_info *fi)
{
	struct handle *h = fi ? handle_of(fi) : NULL;
	struct stat st;

	if (h && !h->packets && (uint64_t)size > h->pos) {
		submit(req, h, REQUEST_TRUNCATE, NULL, 0, (size_t)((uint64_t)size - h->pos), fi->flags);
		return;
	}
	node_stat(node, &st);
	fuse_reply_attr(req, &st, 0);
}

/* ---- poll ---- */

static void work_poll(struct job *job)
{
	struct poll_request *p = container_of(job, struct poll_request, job);
	struct handle *h = p->handle;

	p->revents = h->feed ? feed_revents(h->feed) : POLLERR;
	if (!p->ph)
		return;
	if (!h->feed || (p->revents & p->events)) {
		fuse_pollhandle_destroy(p->ph);
		return;
	}
	if (h->watching)
		feed_cancel(h->feed, &h->watch);
	h->ph = p->ph;
	h->watching = true;
	h->watch = (struct feed_op){ .kind = FEED_POLL, .events = p->events, .done = watch_done };
	feed_submit(h->feed, &h->watch);
}

static void finish_poll(struct job *job)
{
	struct poll_request *p = container_of(job, struct poll_request, job);

	fuse_reply_poll(p->req, (unsigned)p->revents);
	free(p);
}

void handle_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	struct handle *h = handle_of(fi);
	struct poll_request *p = h->detached ? NULL : calloc(1, sizeof(*p));

	if (!p) {
		if (ph)
			fuse_pollhandle_destroy(ph);
		fuse_reply_err(req, h->detached ? ENOTCONN : ENOMEM);
		return;
	}
	p->handle = h;
	p->req = req;
	p->ph = ph;
	p->events = (short)(fi->poll_events & (POLLIN | POLLOUT));
	job_post(server_of(req), worker_of(p->handle), &p->job, work_poll, finish_poll);
}
