/*
 * An attach is on the services' list from attach_start() to done(), and holds the channel all that time, by a name that
 * can go while something is opened.
 *
 * First the opening runs, on a thread of its own, and can be cancelled, of a descriptor that was passed as well; then
 * the job on the channel's worker, which never waits and is not cancelled. What is refused then is closed before the
 * answer, for as long as somebody waits for that.
 */
#include "attach-parts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "deferred-close.h"
#include "base.h"
#include "channel.h"
#include "port-wait.h"
#include "log.h"
#include "services.h"
#include "settings.h"

int attach_refuse(struct attach *a, int err, const char *why)
{
	uri_why(a->why, "%s", why ? why : strerror(-err));
	return err;
}

static void attach_tell(struct attach *a)
{
	static const char *const dirs[] = { [PORT_SOURCE] = "source", [PORT_SINK] = "sink" };
	struct hold hold = a->hold;
	_cleanup_free_ char *path = node_path(a->node);
	char what[URI_WHY_MAX];

	uri_why(what, "%s", a->text ? a->text : "fd");
	if (a->err < 0)
		log_user_info(a->rights.uid, "%s: %s %s: %s", path ? path : "?", dirs[a->dir], what, a->why);
	else
		log_user_info(a->rights.uid, "%s: %s %u: %s", path ? path : "?", dirs[a->dir], a->id, what);
	LIST_REMOVE(a, entry);
	uri_finish(&a->uri);
	uri_finish(&a->config.uri);
	rights_finish(&a->config.rights);
	fd_close(&a->process);
	rights_finish(&a->rights);
	a->done(a);
	hold_drop(&hold);
}

static void attach_closed(void *data)
{
	struct attach *a = data;

	a->closing = NULL;
	attach_tell(a);
}

static void attach_forgotten(struct loop_task *task)
{
	attach_tell(container_of(task, struct attach, forgotten));
}

/* Returns whether its end is waited for. */
static bool attach_close(struct attach *a)
{
	struct opened passed = { .fd = fd_take(&a->fd) };
	struct opened *o = passed.fd < 0 ? &a->config.opened : &passed;
	struct deferred_close *c = NULL;

	if (o->fd < 0)
		return false;
	if (!a->cancelled && !a->ctx->leaving)
		c = deferred_close_create(a->ctx->loop, a->rights.uid, attach_closed, a);
	a->closing = c;
	if (c)
		opened_close_begin(o, c);
	else
		opened_close(o, a->rights.uid);
	return c;
}

static void attach_finish(struct attach *a, int err)
{
	a->err = err;
	if (!attach_close(a))
		attach_tell(a);
}

/* ---- on the worker ---- */

static void attach_work(struct job *job)
{
	struct attach *a = container_of(job, struct attach, job);

	a->err = port_attach(hold_channel(&a->hold), &a->config, &a->id, a->why);
}

static void attach_late(struct job *job)
{
	struct attach *a = container_of(job, struct attach, job);

	if (a->late)
		a->late(a);
}

static void attach_detached(void *data)
{
}

static void attach_work_undo(struct job *job)
{
	struct attach *a = container_of(job, struct attach, job);

	port_detach(hold_channel(&a->hold), a->id, attach_detached, NULL);
}

static void attach_undone(struct job *job)
{
	struct attach *a = container_of(job, struct attach, job);

	attach_finish(a, attach_refuse(a, -ETIMEDOUT, "the channel's worker does not answer"));
}

static void attach_worked(struct job *job)
{
	struct attach *a = container_of(job, struct attach, job);

	if (job_given_up(job))
		a->err = -ETIMEDOUT;
	if (job->is_late && a->err == 0) {
		hold_post(&a->hold, &a->job, attach_work_undo, attach_undone);
		return;
	}
	if (a->err == 0 && a->dir == PORT_SINK && a->keeps && a->ended != a->id && !a->ctx->leaving)
		port_wait_keep(&a->hold, a->id);
	if (a->err < 0 && !*a->why)
		attach_refuse(a, a->err, NULL);
	attach_finish(a, a->err);
}

/* The limits, and the channel object. */
static int attach_ready(struct attach *a)
{
	struct port_config *c = &a->config;
	int err = rights_copy(&c->rights, &a->rights);

	/* Who may only read the channel does not decide how long its owner has it. */
	c->holds = a->keeps = access_check(&a->rights, a->node->inode, W_OK) == 0;
	if (err == 0)
		err = settings_limits(a->ctx, &a->rights, a->node->inode, &c->limits);
	if (err == 0)
		err = hold_object(&a->hold);
	return err < 0 ? attach_refuse(a, err,
				       err == -EDQUOT    ? "the quota of the channel's owner is used up" :
				       err == -ETIMEDOUT ? "the channel's worker does not answer" :
							   NULL) :
			 0;
}

/* With what there is to read or write. */
static void attach_post(struct attach *a, struct opened opened)
{
	struct context *ctx = a->ctx;
	struct node *node = a->node;
	int err;

	a->config = (struct port_config){
		.dir = a->dir,
		.uri = a->uri,
		.mount = ctx->dev,
		.opened = opened,
		.node = node->id,
	};
	a->uri = (struct uri){ 0 };
	if (ctx->leaving || a->cancelled)
		err = attach_refuse(a, -EINTR, NULL);
	else if (!node->parent)
		err = attach_refuse(a, -ENOENT, "the name has gone");
	else
		err = attach_ready(a);
	if (err == 0) {
		hold_post(&a->hold, &a->job, attach_work, attach_worked);
		job_patient(&a->job, a->until ? a->until : job_deadline(), attach_late);
		return;
	}
	attach_finish(a, err);
}

/* ---- opening ---- */

static void attach_opened(struct opening *o)
{
	struct attach *a = container_of(o, struct attach, opening);

	a->opens = false;
	memcpy(a->why, o->why, sizeof(a->why));
	if (o->err < 0)
		attach_finish(a, o->err);
	else
		attach_post(a, opened_take(&o->opened));
}

static int attach_open(struct attach *a)
{
	struct context *ctx = a->ctx;
	int err;

	if (!a->own && a->text && a->process == -ESRCH)
		return attach_refuse(a, -EXDEV,
				     "who asks cannot be looked at; pass a descriptor: spfs source or sink --fd");
	if (!a->own && a->text && a->process < 0)
		return attach_refuse(a, a->process, NULL);
	a->opening = (struct opening){
		.uri = &a->uri,
		.fd = a->fd,
		.dir = a->dir,
		.rights = &a->rights,
		.own = a->own,
		.process = a->text ? a->process : -1,
		.mount = ctx->dev,
		.loop = ctx->loop,
		.done = attach_opened,
	};
	err = opening_start(&a->opening);
	if (err < 0)
		return attach_refuse(a, err,
				     err == -EUSERS ? "too many are being opened at the same time" :
						      "no thread to open it with");
	a->fd = -1;
	a->opens = true;
	return 0;
}

/* ---- its begin and end ---- */

void attach_start(struct attach *a)
{
	struct context *ctx = a->ctx;
	int err;

	if (a->node->kind == NODE_HANDLE && a->node->inode->origin)
		a->node = a->node->inode->origin;
	a->config.opened = OPENED_NONE;
	a->forgotten.run = attach_forgotten;
	LIST_INSERT_HEAD(&ctx->services->attaches, a, entry);
	err = hold_take(&a->hold, ctx, a->node);
	err = err < 0 ? attach_refuse(a, err, NULL) : attach_check(a);
	if (err == 0)
		err = attach_open(a);
	if (err < 0)
		attach_finish(a, err);
}

void attach_cancel(struct attach *a)
{
	if (a->opens && !a->cancelled)
		opening_cancel(&a->opening);
	if (a->closing) {
		deferred_close_forget(a->closing);
		a->closing = NULL;
		loop_post(a->ctx->loop, &a->forgotten);
	}
	a->cancelled = true;
}

/* Ids grow, so what ended before the attach is back has no greater one than its own. */
void attach_ended(struct context *ctx, const struct channel *ch, unsigned id)
{
	struct attach *a;

	LIST_FOREACH(a, &ctx->services->attaches, entry)
		if (hold_is_of(a->hold.inode, ch) && a->ended < id)
			a->ended = id;
}

void attach_leave(struct context *ctx)
{
	struct attach *a;

	LIST_FOREACH(a, &ctx->services->attaches, entry)
		attach_cancel(a);
}
