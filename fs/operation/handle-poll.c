/* poll(2) on a handle: answered by the worker, which keeps one watch for whoever asks last. */
#include "handle-parts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base.h"
#include "reply.h"

struct handle_polling {
	struct job job;
	struct handle *handle;
	fuse_req_t req; /* NULL: answered, it was late */
	struct fuse_pollhandle *ph;
	short events;
	short revents;
};

static void handle_watched(struct feed_op *op, ssize_t result)
{
	struct handle *h = container_of(op, struct handle, watch);

	h->watching = false;
	if (result > 0)
		fuse_lowlevel_notify_poll(h->ph);
	fuse_pollhandle_destroy(h->ph);
	h->ph = NULL;
}

static void handle_poll_work(struct job *job)
{
	struct handle_polling *p = container_of(job, struct handle_polling, job);
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
	h->watch = (struct feed_op){ .kind = FEED_POLL, .events = p->events, .done = handle_watched };
	feed_submit(h->feed, &h->watch);
}

static void handle_polled(struct job *job)
{
	struct handle_polling *p = container_of(job, struct handle_polling, job);

	if (p->req)
		fuse_reply_poll(p->req, (unsigned)p->revents);
	if (job_given_up(job) && p->ph)
		fuse_pollhandle_destroy(p->ph);
	free(p);
}

static void handle_poll_late(struct job *job)
{
	reply_late(&container_of(job, struct handle_polling, job)->req);
}

void handle_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	struct handle *h = handle_of(fi);
	struct handle_polling *p = h->detached ? NULL : calloc(1, sizeof(*p));

	if (!p) {
		if (ph)
			fuse_pollhandle_destroy(ph);
		reply_error(req, h->detached ? -ENOTCONN : -ENOMEM);
		return;
	}
	p->handle = h;
	p->req = req;
	p->ph = ph;
	p->events = (short)(fi->poll_events & (POLLIN | POLLOUT));
	hold_post(&h->hold, &p->job, handle_poll_work, handle_polled);
	job_patient(&p->job, job_deadline(), handle_poll_late);
}
