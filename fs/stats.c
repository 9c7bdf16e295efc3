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
#include "tee.h"
#include "xattr.h"

struct stats {
	struct job job;
	struct survey_waiter waiter;
	struct server *server;
	fuse_req_t req;
	size_t size;
	struct inode *inode;
	struct report *report;
};

static json_t *count(bool known, unsigned n)
{
	return known ? answer_number(n) : json_null();
}

static const struct tap_report *report_of(const struct report *report, const struct node *node)
{
	static const struct tap_report nothing;

	for (size_t i = 0; report && i < report->count; i++)
		if (report->taps[i].id == node->id)
			return &report->taps[i];
	return &nothing;
}

static json_t *tap_json(const struct stats *st, const struct node *node)
{
	static const char *const states[] = {
		[OUTLET_IDLE] = "idle", [OUTLET_HOLDING] = "holding", [OUTLET_ENDING] = "ending",
	};
	const struct tap_report *t = report_of(st->report, node);
	struct survey_count c;
	bool known = survey_count(st->server->survey, node, &c);

	return json_pack("{so so so so so so ss}",
			 "name", answer_path(node),
			 "bytes_out", answer_number(t->bytes_out),
			 "waiting", answer_number(t->waiting),
			 "size", t->size ? answer_number(t->size) : json_null(),
			 "lost", answer_number(t->lost),
			 "readers", count(known, c.readers),
			 "state", states[t->state]);
}

/* Without taps the kernel alone moves the bytes, so nobody counts them: null. */
static json_t *stats_json(const struct stats *st)
{
	const struct node *origin = st->inode->origin;
	const struct report *r = st->report;
	bool teed = r && r->size;
	struct survey_count c = { 0 };
	bool known = origin && survey_count(st->server->survey, origin, &c);
	json_t *taps = json_array();
	struct node *node;

	LIST_FOREACH(node, &st->inode->nodes, sibling)
		if (node_is_tap(node) && !node->pending)
			json_array_insert_new(taps, 0, tap_json(st, node));
	return json_pack("{so so so so so so so so so so so}",
			 "channel", answer_path(origin),
			 "bytes_in", teed ? answer_number(r->bytes_in) : json_null(),
			 "waiting", teed ? answer_number(r->waiting) : json_null(),
			 "size", teed ? answer_number((uint64_t)r->size) : json_null(),
			 "streams", teed ? answer_number(r->streams) : json_null(),
			 "chunks_ref", teed ? answer_number(r->chunks_ref) : json_null(),
			 "chunks_copy", teed ? answer_number(r->chunks_copy) : json_null(),
			 "writers", count(known, c.writers),
			 "readers", count(known, c.readers),
			 "foreign_readers", count(known, st->inode->taps ? c.readers : 0),
			 "taps", taps);
}

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

	answer_xattr(st->req, stats_json(st), st->size, XATTR_ROOM);
	report_free(st->report);
	free(st);
	inode->busy--;
	tee_channel_put(s, inode);
	inode_put(inode);
}

static void work_report(struct job *job)
{
	struct stats *st = container_of(job, struct stats, job);

	st->report = report_create(st->inode->channel);
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
