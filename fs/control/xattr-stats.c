/* spfs.stats: gathered from a scan of who has the channel open and from its worker. */
#include "xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>

#include "base.h"
#include "channel-stats.h"
#include "hold.h"
#include "reply.h"
#include "report.h"
#include "services.h"

struct xattr_stats_asking {
	struct job job;
	struct hold hold;
	struct descriptor_scan_waiter waiter;
	fuse_req_t req; /* NULL: answered, without the worker's report */
	uint64_t until;
	size_t size;
	struct report *report; /* the worker's */
};

/* With what there is; what would not fit is not made. */
static void xattr_stats_answer(struct xattr_stats_asking *a, struct report *report)
{
	struct channel_stats stats = { .report = report };

	if (a->hold.inode->taps > XATTR_SIZE_MAX / CHANNEL_STATS_TAP_MIN)
		reply_error(a->req, -E2BIG);
	else if (channel_stats_take(&stats, a->hold.ctx->services->scan, &a->hold) < 0)
		reply_error(a->req, -ENOMEM);
	else
		reply_json(a->req, channel_stats_json(&stats), a->size, REPLY_ROOM);
	a->req = NULL;
	channel_stats_finish(&stats);
}

static void xattr_stats_free(struct xattr_stats_asking *a)
{
	hold_drop(&a->hold);
	free(a);
}

static void xattr_stats_work(struct job *job)
{
	struct xattr_stats_asking *a = container_of(job, struct xattr_stats_asking, job);

	a->report = report_create(hold_channel(&a->hold));
}

static void xattr_stats_reported(struct job *job)
{
	struct xattr_stats_asking *a = container_of(job, struct xattr_stats_asking, job);

	if (a->req)
		xattr_stats_answer(a, a->report);
	else
		report_free(a->report);
	xattr_stats_free(a);
}

static void xattr_stats_late(struct job *job)
{
	xattr_stats_answer(container_of(job, struct xattr_stats_asking, job), NULL);
}

static void xattr_stats_scanned(struct descriptor_scan_waiter *w)
{
	struct xattr_stats_asking *a = container_of(w, struct xattr_stats_asking, waiter);

	if (hold_channel(&a->hold) && !hold_stands(&a->hold)) {
		hold_post(&a->hold, &a->job, xattr_stats_work, xattr_stats_reported);
		job_patient(&a->job, a->until, xattr_stats_late);
		return;
	}
	xattr_stats_answer(a, NULL);
	xattr_stats_free(a);
}

static void xattr_stats_get(fuse_req_t req, struct node *node, size_t i, size_t size)
{
	struct context *ctx = context_of(req);
	struct xattr_stats_asking *a = calloc(1, sizeof(*a));
	int err = a ? hold_take_inode(&a->hold, ctx, node->inode) : -ENOMEM;

	if (err < 0) {
		free(a);
		reply_error(req, err);
		return;
	}
	a->req = req;
	a->until = job_deadline();
	a->size = size;
	a->waiter.done = xattr_stats_scanned;
	descriptor_scan_want(ctx->services->scan, &a->waiter);
}

const struct xattr_attribute xattr_stats[] = {
	{ .name = "stats", .get = xattr_stats_get },
	{ 0 },
};
