/*
 * ctx->holds counts the holds and the objects that are being destroyed. While leaving, an object goes with its last hold,
 * though its channel has names; so what cannot be let go of keeps nothing else. When nothing is left, that is told by a
 * posted task, for whoever drops the last one may not be through with what it is about.
 */
#include "hold.h"

#include <errno.h>
#include <stdlib.h>

#include "accounts.h"
#include "base.h"
#include "channel.h"
#include "channels.h"
#include "engine.h"
#include "number.h"
#include "vacancy.h"
#include "watchdog.h"

/* What an inode has its channel in; only this file looks inside. */
struct object {
	struct channel *channel;
	struct worker *worker; /* the channel's */
	struct job job;        /* its end: nothing may fail there for want of memory */
};

/* ---- objects ---- */

static void object_work(struct job *job)
{
	struct channel *ch = container_of(job, struct object, job)->channel;
	uint64_t origin = ch->origin.id;

	channel_destroy(ch);
	number_forget(job->ctx, origin);
}

static void hold_less(struct context *ctx);

static void object_finish(struct job *job)
{
	struct object *object = container_of(job, struct object, job);
	struct context *ctx = job->ctx;

	engine_release(object->worker);
	free(object);
	hold_less(ctx);
}

static void object_destroy(struct context *ctx, struct inode *inode)
{
	struct object *object = inode->object;

	inode->object = NULL;
	ctx->holds++;
	job_post(ctx, object->worker->loop, &object->job, object_work, object_finish);
}

/* Whether modes let others than @uid come to what is in @dir: who owns a folder on the way may do as he likes. */
static bool object_lets_others(const struct node *dir, uid_t uid)
{
	for (; dir; dir = dir->parent)
		if (dir->inode->uid == uid && !(dir->inode->mode & (S_IXGRP | S_IXOTH)))
			return false;
	return true;
}

static enum worker_reach object_reach(const struct inode *inode)
{
	const struct node *name = NULL;

	if (!(inode->mode & (S_IRWXG | S_IRWXO)))
		return WORKER_CLOSED;
	while ((name = channels_name_after(inode, name ? name->id : 0)))
		if (object_lets_others(name->parent, inode->uid))
			return WORKER_OPEN;
	return WORKER_HIDDEN;
}

/* On a worker that serves who may come to the channel now, as far as modes tell. */
static int object_make(struct object *object, struct context *ctx, const struct inode *inode, uint64_t origin,
		       const char *label, const struct limits *limits)
{
	int err = engine_assign(ctx->engine, inode->uid, object_reach(inode), &object->worker);

	if (err < 0)
		return err;
	err = channel_create(&object->channel, object->worker, origin, label, limits);
	if (err < 0)
		engine_release(object->worker);
	return err;
}

int hold_object_with(struct hold *h, const struct settings *settings)
{
	struct limits limits = { .settings = *settings };
	struct context *ctx = h->ctx;
	struct inode *inode = h->inode;
	const struct node *name = inode->origin ? inode->origin : h->node ? h->node : channels_name_after(inode, 0);
	_cleanup_free_ char *path = NULL;
	struct object *object;
	int err;

	if (inode->object)
		return hold_stands(h) ? -ETIMEDOUT : 0;
	if (!name)
		return -ENOENT;
	path = node_path(name);
	limits.settings.value[SETTING_PACKETS] = inode->packets;
	limits.account = accounts_of_user(ctx, inode->uid);
	object = calloc(1, sizeof(*object));
	if (!path || !limits.account || !object) {
		free(object);
		return -ENOMEM;
	}
	err = object_make(object, ctx, inode, name->id, path, &limits);
	if (err == -EDQUOT)
		accounts_log_refusal(limits.account, ACCOUNT_DESCRIPTORS, path);
	if (err < 0) {
		free(object);
		return err;
	}
	inode->object = object;
	stamp_put(inode->stamp);
	inode->stamp = stamp_get(object->channel->stamp);
	atomic_store(&inode->stamp->floor, inode->mtime_set > inode->atime_set ? inode->mtime_set : inode->atime_set);
	inode->keep = limits.settings.value[SETTING_KEEP];
	inode->readable = limits.settings.value[SETTING_READERS] == READERS_ALLOW;
	watchdog_start(ctx);
	return hold_stands(h) ? -ETIMEDOUT : 0;
}

int hold_object(struct hold *h)
{
	return hold_object_with(h, &h->ctx->defaults);
}

struct channel *hold_channel(const struct hold *h)
{
	return h->inode->object ? h->inode->object->channel : NULL;
}

bool hold_stands(const struct hold *h)
{
	return h->inode->object && h->inode->object->worker->stands;
}

bool hold_is_of(const struct inode *inode, const struct channel *ch)
{
	return inode->object && inode->object->channel == ch;
}

/* ---- the end ---- */

static void hold_released(struct loop_task *task)
{
	struct context *ctx = container_of(task, struct context, release);

	ctx->let_go(ctx);
}

static void hold_release(struct context *ctx)
{
	ctx->release.run = hold_released;
	loop_post(ctx->loop, &ctx->release);
}

static void hold_less(struct context *ctx)
{
	if (--ctx->holds == 0 && ctx->let_go)
		hold_release(ctx);
}

void hold_leave(struct context *ctx, void (*let_go)(struct context *ctx))
{
	const struct channels *all = &ctx->nodes.channels;
	struct inode *inode;

	ctx->let_go = let_go;
	for (inode = channels_after(all, 0); inode; inode = channels_after(all, inode->ino))
		if (inode->object && !inode->holds)
			object_destroy(ctx, inode);
	if (ctx->holds == 0)
		hold_release(ctx);
}

/* ---- holds ---- */

static void hold_begin(struct hold *h, struct context *ctx, struct inode *inode, struct node *node)
{
	*h = (struct hold){ .ctx = ctx, .inode = inode, .node = node };
	inode->refs++;
	inode->holds++;
	if (node)
		node->pins++;
	ctx->holds++;
}

int hold_take(struct hold *h, struct context *ctx, struct node *node)
{
	*h = (struct hold){ 0 };
	if (ctx->leaving)
		return -ENOTCONN;
	hold_begin(h, ctx, node->inode, node);
	return 0;
}

int hold_take_inode(struct hold *h, struct context *ctx, struct inode *inode)
{
	*h = (struct hold){ 0 };
	if (ctx->leaving)
		return -ENOTCONN;
	hold_begin(h, ctx, inode, NULL);
	return 0;
}

void hold_copy(struct hold *h, const struct hold *from)
{
	hold_begin(h, from->ctx, from->inode, from->node);
}

/* Whether the object stays though nobody holds it. */
static bool hold_keeps(const struct inode *inode)
{
	return inode->names || (inode->origin && vacancy_is(inode->origin));
}

void hold_drop(struct hold *h)
{
	struct hold was = *h;

	if (!was.inode)
		return;
	*h = (struct hold){ 0 };
	if (was.node) {
		was.node->pins--;
		node_release(&was.ctx->nodes, was.node);
	}
	if (--was.inode->holds == 0 && was.inode->object && (!hold_keeps(was.inode) || was.ctx->let_go))
		object_destroy(was.ctx, was.inode);
	node_put_inode(&was.ctx->nodes, was.inode);
	hold_less(was.ctx);
}

void hold_post(const struct hold *h, struct job *job, void (*work)(struct job *), void (*finish)(struct job *))
{
	job_post(h->ctx, h->inode->object->worker->loop, job, work, finish);
	job->worker = h->inode->object->worker;
}

void hold_post_longer(const struct hold *h, struct job *job, void (*work)(struct job *), void (*finish)(struct job *))
{
	job_post_longer(h->ctx, h->inode->object->worker->loop, job, work, finish);
	job->worker = h->inode->object->worker;
}
