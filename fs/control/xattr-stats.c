#include "xattr-stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "base.h"
#include "channel.h"
#include "engine.h"
#include "inode.h"
#include "report.h"
#include "descriptor-scan.h"
#include "channel-stats.h"
#include "tee.h"
#include "xattr.h"

struct stats {
	struct job job;
	struct descriptor_scan_waiter waiter;
	struct server *server;
	fuse_req_t req;
	size_t size;
	struct inode *inode;
	struct channel_stats stats;
};

void xattr_stats_reply_taps(fuse_req_t req, struct node *node, size_t size)
{
	json_t *taps = json_array();
	struct node *tap;

	LIST_FOREACH(tap, &node->inode->nodes, sibling)
		if (node_is_tap(tap) && !tap->pending)
			json_array_insert_new(taps, 0, json_of_path(tap));
	json_reply_xattr(req, taps, size, 0);
}

static void answer(struct stats *st)
{
	struct server *s = st->server;
	struct inode *inode = st->inode;
	int err;

	err = channel_stats_take(&st->stats, s->scan, inode);
	json_reply_xattr(st->req, err < 0 ? NULL : channel_stats_json(&st->stats), st->size, XATTR_ROOM);
	channel_stats_finish(&st->stats);
	free(st);
	inode->busy--;
	tee_channel_put(s, inode);
	inode_put(inode);
}

static void work_report(struct job *job)
{
	struct stats *st = container_of(job, struct stats, job);

	st->stats.report = report_create(st->inode->channel);
}

static void finish_report(struct job *job)
{
	answer(container_of(job, struct stats, job));
}

static void scanned(struct descriptor_scan_waiter *w)
{
	struct stats *st = container_of(w, struct stats, waiter);

	if (st->inode->channel)
		job_post(st->server, st->inode->channel->worker->loop, &st->job, work_report, finish_report);
	else
		answer(st);
}

void xattr_stats_reply(fuse_req_t req, struct node *node, size_t size)
{
	struct stats *st = calloc(1, sizeof(*st));

	if (!st) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	st->server = server_of(req);
	st->req = req;
	st->size = size;
	st->inode = node->inode;
	st->inode->refs++;
	st->inode->busy++;
	st->waiter.done = scanned;
	descriptor_scan_want(st->server->scan, &st->waiter);
}
