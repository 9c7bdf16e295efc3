/*
 * A request is copied, and goes to the worker, whose feed answers it at once or parks it: so it comes back when its
 * feed_op is done. An interrupt goes after it; whatever is the later one home frees both.
 *
 * Who writes waits for a reader, and that may take for ever, so what it holds meanwhile is charged. But who must not wait,
 * or does not want to any more, or only wants the size changed, is answered also where the worker does not come to it. What
 * it moves after that counts for the handle's position alone.
 */
#include "handle-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "base.h"
#include "channel.h"
#include "log.h"
#include "reply.h"

enum transfer_kind { TRANSFER_WRITE, TRANSFER_READ, TRANSFER_TRUNCATE };

/* A read, write or ftruncate on its way. Freed when it and its cancellation are back. */
struct transfer {
	struct job job;
	struct job cancel;
	bool cancelling;
	bool finished;
	bool patient; /* it is answered in time */
	enum transfer_kind kind;
	struct handle *handle;
	fuse_req_t req; /* NULL: answered, it was late; the FUSE thread's */
	uid_t uid;      /* who asks */
	struct feed_op op;
	ssize_t result;
	struct charge charge; /* for its bytes, to who opened the handle: they may wait for ever */
	char buf[];
};

/* The feed is through with it. On the worker. */
static void transfer_done(struct feed_op *op, ssize_t result)
{
	struct transfer *r = container_of(op, struct transfer, op);

	r->result = result;
	job_done(&r->job);
}

/* What is written has nowhere to go. Once is enough to be said, and nothing where nobody writes. */
static void transfer_refuse(struct transfer *r)
{
	struct handle *h = r->handle;

	if (r->kind == TRANSFER_WRITE && !h->told)
		log_user_err(r->uid, "%s: cannot write what created it: %s", hold_channel(&h->hold)->label,
			     strerror(-h->err));
	h->told |= r->kind == TRANSFER_WRITE;
	transfer_done(&r->op, h->err);
}

static void transfer_work(struct job *job)
{
	struct transfer *r = container_of(job, struct transfer, job);

	if (!r->handle->feed)
		transfer_refuse(r);
	else
		feed_submit(r->handle->feed, &r->op);
}

static void transfer_reply_truncate(struct transfer *r)
{
	if (r->result < 0)
		reply_error(r->req, (int)r->result);
	else
		reply_attributes(r->req, r->handle->node);
}

static void transfer_free(struct transfer *r)
{
	if (!r->finished || r->cancelling)
		return;
	charge_finish(&r->charge);
	free(r);
}

static void transfer_finish(struct job *job)
{
	struct transfer *r = container_of(job, struct transfer, job);
	struct handle *h = r->handle;

	if (r->req)
		fuse_req_interrupt_func(r->req, NULL, NULL);
	if (r->kind == TRANSFER_READ && r->req) {
		if (r->result < 0)
			reply_error(r->req, (int)r->result);
		else
			fuse_reply_buf(r->req, r->buf, (size_t)r->result);
	} else {
		h->pos += r->op.moved;
		if (h->node->size < h->pos && !h->packets)
			h->node->size = h->pos;
		if (!r->req)
			; /* answered */
		else if (r->kind == TRANSFER_TRUNCATE)
			transfer_reply_truncate(r);
		else if (r->result < 0)
			reply_error(r->req, (int)r->result);
		else
			fuse_reply_write(r->req, (size_t)r->result);
	}
	r->finished = true;
	transfer_free(r);
}

static void transfer_work_cancel(struct job *job)
{
	struct transfer *r = container_of(job, struct transfer, cancel);

	if (r->handle->feed)
		feed_cancel(r->handle->feed, &r->op);
}

static void transfer_cancelled(struct job *job)
{
	struct transfer *r = container_of(job, struct transfer, cancel);

	r->cancelling = false;
	transfer_free(r);
}

static void transfer_late(struct job *job)
{
	struct transfer *r = container_of(job, struct transfer, job);

	fuse_req_interrupt_func(r->req, NULL, NULL);
	reply_error(r->req, r->cancelling ? -EINTR : -ETIMEDOUT);
	r->req = NULL;
}

/* Who waits is answered in time, from now on. */
static void transfer_hurry(struct transfer *r)
{
	if (!r->patient)
		job_patient(&r->job, job_deadline(), transfer_late);
	r->patient = true;
}

/* On the FUSE thread, like the reply: @data is there. */
static void transfer_interrupted(fuse_req_t req, void *data)
{
	struct transfer *r = data;

	if (r->cancelling || r->finished || r->handle->detached)
		return;
	r->cancelling = true;
	transfer_hurry(r);
	hold_post(&r->handle->hold, &r->cancel, transfer_work_cancel, transfer_cancelled);
}

/* One with room for @len bytes. Returns 0, -ENOTCONN, -ENOMEM, or -EDQUOT, logged. */
static int transfer_create(struct transfer **out, const struct handle *h, size_t len)
{
	struct charge charge = { .account = h->descriptors.account };
	struct transfer *r;
	int err = h->detached ? -ENOTCONN : charge_set(&charge, sizeof(*r) + len);

	if (err == -EDQUOT)
		accounts_log_refusal(charge.account, ACCOUNT_BYTES, hold_channel(&h->hold)->label);
	if (err < 0)
		return err;
	r = malloc(sizeof(*r) + len);
	if (!r) {
		charge_finish(&charge);
		return -ENOMEM;
	}
	memset(r, 0, sizeof(*r));
	r->charge = charge;
	*out = r;
	return 0;
}

static void transfer_submit(fuse_req_t req, struct handle *h, enum transfer_kind kind, const char *buf, size_t len,
			    size_t zeros, int flags)
{
	struct transfer *r;
	int err = transfer_create(&r, h, len);

	if (err < 0) {
		reply_error(req, err);
		return;
	}
	if (buf)
		memcpy(r->buf, buf, len);
	r->kind = kind;
	r->handle = h;
	r->req = req;
	r->uid = fuse_req_ctx(req)->uid;
	r->op.kind = kind == TRANSFER_READ ? FEED_READ : FEED_WRITE;
	r->op.nonblock = flags & O_NONBLOCK;
	r->op.zeros = zeros;
	r->op.buf = r->buf;
	r->op.len = len;
	r->op.done = transfer_done;
	hold_post_longer(&h->hold, &r->job, transfer_work, transfer_finish);
	if (r->op.nonblock || kind == TRANSFER_TRUNCATE)
		transfer_hurry(r);
	fuse_req_interrupt_func(req, transfer_interrupted, r);
}

void handle_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	if (!handle_of(fi))
		fuse_reply_buf(req, NULL, 0);
	else
		transfer_submit(req, handle_of(fi), TRANSFER_READ, NULL, size, 0, fi->flags);
}

/*
 * Whether a WRITE at @off goes on with a write(2) that the kernel has cut: its first part was taken, and moved h->pos. One
 * that appends cannot be known so, as each begins where the kernel thinks that the last one has ended.
 */
static bool handle_message_goes_on(const struct handle *h, uint64_t off, int flags)
{
	return !(flags & O_APPEND) && off && off == h->pos;
}

static void handle_write_message(fuse_req_t req, struct handle *h, const char *buf, size_t size, uint64_t off,
				 int flags)
{
	if (h->detached) {
		reply_error(req, -ENOTCONN);
	} else if (size > PIPE_BUF || handle_message_goes_on(h, off, flags)) {
		log_user_info(fuse_req_ctx(req)->uid, "%s: message refused: %s", hold_channel(&h->hold)->label,
			      size > PIPE_BUF ? "longer than PIPE_BUF" : "it is in too many pieces, or spliced");
		reply_error(req, -EMSGSIZE);
	} else {
		h->pos = off;
		transfer_submit(req, h, TRANSFER_WRITE, buf, size, 0, flags);
	}
}

void handle_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	uint64_t at = fi->flags & O_APPEND ? h->pos : (uint64_t)off;

	if (h->packets) {
		handle_write_message(req, h, buf, size, (uint64_t)off, fi->flags);
		return;
	}
	if (at < h->pos) {
		log_user_info(fuse_req_ctx(req)->uid, "write at %ju, behind %ju: a channel has no way back",
			      (uintmax_t)at, (uintmax_t)h->pos);
		reply_error(req, -ESPIPE);
		return;
	}
	transfer_submit(req, h, TRANSFER_WRITE, buf, size, at - h->pos, fi->flags);
}

void handle_truncate(fuse_req_t req, struct node *node, off_t size, struct fuse_file_info *fi)
{
	struct handle *h = fi ? handle_of(fi) : NULL;
	if (h && !h->packets && (uint64_t)size > h->pos) {
		transfer_submit(req, h, TRANSFER_TRUNCATE, NULL, 0, (size_t)((uint64_t)size - h->pos), fi->flags);
		return;
	}
	reply_attributes(req, node);
}
