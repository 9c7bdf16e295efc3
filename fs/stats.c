#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base.h"
#include "channel.h"
#include "engine.h"
#include "inode.h"
#include "report.h"
#include "survey.h"
#include "tally.h"
#include "tee.h"
#include "xattr.h"

struct stats {
	struct job job;
	struct survey_waiter waiter;
	struct server *server;
	fuse_req_t req;
	size_t size;
	struct inode *inode;
	struct tally tally;
};

void stats_reply_taps(fuse_req_t req, struct node *node, size_t size)
{
	json_t *taps = json_array();
	struct node *tap;

	LIST_FOREACH(tap, &node->inode->nodes, sibling)
		if (node_is_tap(tap) && !tap->pending)
			json_array_insert_new(taps, 0, answer_path(tap));
	answer_xattr(req, taps, size, 0);
}

static void answer(struct stats *st)
{
	struct server *s = st->server;
	struct inode *inode = st->inode;
	int err;

	err = tally_take(&st->tally, s->survey, inode);
	answer_xattr(st->req, err < 0 ? NULL : tally_json(&st->tally), st->size, XATTR_ROOM);
	tally_finish(&st->tally);
	free(st);
	inode->busy--;
	tee_channel_put(s, inode);
	inode_put(inode);
}

static void work_report(struct job *job)
{
	struct stats *st = container_of(job, struct stats, job);

	st->tally.report = report_create(st->inode->channel);
}

static void finish_report(struct job *job)
{
	answer(container_of(job, struct stats, job));
}

static void surveyed(struct survey_waiter *w)
{
	struct stats *st = container_of(w, struct stats, waiter);

	if (st->inode->channel)
		job_post(st->server, st->inode->channel->worker->loop, &st->job, work_report, finish_report);
	else
		answer(st);
}

void stats_reply(fuse_req_t req, struct node *node, size_t size)
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
	st->waiter.done = surveyed;
	survey_want(st->server->survey, &st->waiter);
}
