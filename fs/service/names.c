#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "events.h"
#include "hold.h"
#include "log.h"
#include "number.h"

/* What has become of a name, on its way to the worker. */
struct name_job {
	struct job job;
	struct hold hold;
	uint64_t id;
	int err;
};

/* Takes the hold on the channel, which has an object. Returns false when out of memory. */
static bool names_post(struct hold *hold, uint64_t id, void (*work)(struct job *), void (*finish)(struct job *))
{
	struct name_job *j = calloc(1, sizeof(*j));

	if (!j)
		return false;
	j->hold = *hold;
	*hold = (struct hold){ 0 };
	j->id = id;
	hold_post(&j->hold, &j->job, work, finish);
	return true;
}

static void names_finish(struct job *job)
{
	struct name_job *j = container_of(job, struct name_job, job);

	hold_drop(&j->hold);
	free(j);
}

/* ---- a new channel ---- */

static void names_work_begin(struct job *job)
{
	struct name_job *j = container_of(job, struct name_job, job);

	j->err = channel_start(hold_channel(&j->hold));
}

static void names_finish_begin(struct job *job)
{
	struct name_job *j = container_of(job, struct name_job, job);

	if (j->err < 0)
		log_user_err(j->hold.inode->uid, "%s: its end comes with each writer's: %s",
			     hold_channel(&j->hold)->label, strerror(-j->err));
	names_finish(job);
}

int names_begin(struct context *ctx, struct node *node, const struct settings *settings)
{
	struct hold hold;
	int err = hold_take(&hold, ctx, node);

	if (err == 0)
		err = hold_object_with(&hold, settings);
	if (err == 0 && !names_post(&hold, 0, names_work_begin, names_finish_begin))
		err = -ENOMEM;
	if (err < 0)
		node_detach(&ctx->nodes, node);
	hold_drop(&hold);
	return err;
}

/* ---- a name less ---- */

static void names_work_tap_gone(struct job *job)
{
	struct name_job *j = container_of(job, struct name_job, job);

	channel_remove_tap(hold_channel(&j->hold), j->id);
	number_forget(job->ctx, j->id);
}

static void names_work_origin_gone(struct job *job)
{
	channel_origin_gone(hold_channel(&container_of(job, struct name_job, job)->hold));
}

/* @hold: by a node that has just lost its name. @tap: what it was. */
static void names_tell_gone(struct hold *hold, bool tap)
{
	struct context *ctx = hold->ctx;
	struct inode *inode = hold->inode;

	if (!tap)
		inode->origin = NULL;
	if (!hold_channel(hold))
		return;
	if (!names_post(hold, hold->node->id, tap ? names_work_tap_gone : names_work_origin_gone, names_finish))
		log_err("out of memory; a removed name keeps its data until the daemon ends");
	if (!inode->names)
		events_gone(ctx, inode);
}

int names_remove(struct context *ctx, struct node *node)
{
	bool tap = node_is_tap(node);
	struct hold hold;
	int err = hold_take(&hold, ctx, node);

	if (err < 0)
		return err;
	node_detach(&ctx->nodes, node);
	if (node->kind == NODE_FIFO)
		names_tell_gone(&hold, tap);
	hold_drop(&hold);
	return 0;
}

int names_move(struct context *ctx, struct node *node, struct node *old, struct node *to, const char *name)
{
	bool tap = node_is_tap(node);
	struct hold hold;
	int err = hold_take(&hold, ctx, node);

	if (err == 0 && old)
		err = names_remove(ctx, old);
	if (err < 0) {
		hold_drop(&hold);
		return err;
	}
	node_detach(&ctx->nodes, node);
	err = node_attach(&ctx->nodes, node, to, name);
	if (err < 0) {
		log_user_err(node->inode->uid, "rename %s: %s", name, strerror(-err));
		if (node->kind == NODE_FIFO)
			names_tell_gone(&hold, tap);
	}
	hold_drop(&hold);
	return err;
}
