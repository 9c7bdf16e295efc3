#include "names.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "base.h"
#include "callers.h"
#include "channel.h"
#include "events.h"
#include "hold.h"
#include "log.h"
#include "number.h"
#include "settle.h"
#include "turns.h"
#include "vacancy.h"

/* What has become of a name, on its way to the worker. */
struct name_job {
	struct settle settle;
	struct hold hold;
	uint64_t id;
	int err;
};

/* Takes the hold on the channel, which has an object. Returns false when out of memory. */
static bool names_post(struct hold *hold, uint64_t id, void (*work)(struct settle *), void (*finish)(struct settle *))
{
	struct name_job *j = calloc(1, sizeof(*j));

	if (!j)
		return false;
	j->hold = *hold;
	*hold = (struct hold){ 0 };
	j->id = id;
	settle_post_closing(&j->settle, &j->hold, work, finish);
	return true;
}

static void names_finish(struct settle *settle)
{
	struct name_job *j = container_of(settle, struct name_job, settle);

	hold_drop(&j->hold);
	free(j);
}

/* ---- a new channel ---- */

static void names_work_begin(struct settle *settle)
{
	struct name_job *j = container_of(settle, struct name_job, settle);

	j->err = channel_start(hold_channel(&j->hold));
}

static void names_finish_begin(struct settle *settle)
{
	struct name_job *j = container_of(settle, struct name_job, settle);

	if (j->err < 0)
		log_user_err(j->hold.inode->uid, "%s: its end comes with each writer's: %s",
			     hold_channel(&j->hold)->label, strerror(-j->err));
	names_finish(settle);
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

/* ---- a look-up ---- */

static void names_work_look(struct settle *settle)
{
	channel_look(hold_channel(&container_of(settle, struct name_job, settle)->hold));
}

void names_look(struct context *ctx, struct node *node)
{
	struct hold hold;

	if (!node_is_channel(node) || node->inode->settling || hold_take(&hold, ctx, node) < 0)
		return;
	if (hold_channel(&hold) && hold_channel(&hold)->ending)
		names_post(&hold, 0, names_work_look, names_finish);
	hold_drop(&hold);
}

/* ---- a name less ---- */

static void names_work_tap_gone(struct settle *settle)
{
	struct name_job *j = container_of(settle, struct name_job, settle);

	channel_remove_tap(hold_channel(&j->hold), j->id);
	number_forget(settle->job.ctx, j->id);
}

static void names_work_origin_gone(struct settle *settle)
{
	channel_origin_gone(hold_channel(&container_of(settle, struct name_job, settle)->hold));
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
		log_user_err(hold_channel(hold)->user,
			     "out of memory; a removed name keeps its data until the daemon ends");
	if (!inode->names)
		events_gone(ctx, inode);
}

/* Whether the channel goes on without its origin's name. */
static bool names_keep(const struct inode *inode)
{
	return inode->keep && inode->object && (inode->taps || inode->declared);
}

/* A place is kept no longer. */
static void names_let_go(struct context *ctx, struct node *origin)
{
	struct hold hold;

	if (hold_take(&hold, ctx, origin) < 0)
		return; /* the daemon is leaving, and so does everything */
	vacancy_end(origin);
	names_tell_gone(&hold, false);
	hold_drop(&hold);
}

/* Without the name of @hold's node. */
static void names_become_less(struct hold *hold)
{
	struct node *node = hold->node, *origin = hold->inode->origin;
	const struct inode *inode = hold->inode;
	struct context *ctx = hold->ctx; /* (a job may take the hold) */
	bool tap = node_is_tap(node);

	if (node == origin && names_keep(inode) && !inode->switching && !vacancy_find(node->parent, node->name)) {
		log_user_info(inode->uid, "%s: its origin is removed, the channel is kept", hold_channel(hold)->label);
		vacancy_make(&ctx->nodes, node);
		return;
	}
	node_detach(&ctx->nodes, node);
	if (node->kind == NODE_FIFO)
		names_tell_gone(hold, tap);
	if (tap && origin && vacancy_is(origin) && !names_keep(inode))
		names_let_go(ctx, origin);
}

/* What was kept in a folder that is gone. */
struct name_folder {
	struct context *ctx;
	struct node *node; /* pinned */
	struct turns turns;
};

static unsigned names_step_vacant(struct turns *turns)
{
	struct name_folder *f = container_of(turns, struct name_folder, turns);
	struct node *kept = f->ctx->leaving ? NULL : vacancy_first(f->node);

	if (!kept)
		return 0;
	names_let_go(f->ctx, kept);
	return 1;
}

static void names_vacant(struct turns *turns)
{
	struct name_folder *f = container_of(turns, struct name_folder, turns);

	/* Else the daemon is leaving, and the places go with the table of nodes. */
	if (!vacancy_first(f->node)) {
		f->node->pins--;
		node_release(&f->ctx->nodes, f->node);
	}
	free(f);
}

/* Returns 0 or -ENOMEM. */
static int names_vacate(struct context *ctx, struct node *folder)
{
	struct name_folder *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->ctx = ctx;
	f->node = folder;
	folder->pins++;
	f->turns = (struct turns){ .loop = ctx->loop, .step = names_step_vacant, .done = names_vacant };
	turns_start(&f->turns);
	return 0;
}

int names_remove(struct context *ctx, struct node *node)
{
	struct hold hold;
	int err = hold_take(&hold, ctx, node);

	if (err == 0 && node->kind == NODE_DIR && vacancy_first(node))
		err = names_vacate(ctx, node);
	if (err == 0)
		names_become_less(&hold);
	hold_drop(&hold);
	return err;
}

bool names_kept_waits(fuse_req_t req, const struct node *dir, const char *name)
{
	const struct node *node = vacancy_find(dir, name);

	return node && access_asks_groups(fuse_req_ctx(req)->uid, node->inode, W_OK) && callers_wait(req);
}

struct node *names_kept(fuse_req_t req, const struct node *dir, const char *name)
{
	struct node *node = vacancy_find(dir, name);
	_cleanup_rights_ struct rights r = { 0 };

	if (!node || !req)
		return node;
	if (access_rights(req, &r) == 0 &&
	    (r.uid == node->inode->uid || rights_have(&r, CAP_FOWNER) || access_check(&r, node->inode, W_OK) == 0))
		return node;
	log_user_info(r.uid, "%s: is kept for the taps of user %u; what user %u makes there is another channel", name,
		      node->inode->uid, r.uid);
	return NULL;
}

int names_return(struct context *ctx, struct node *node)
{
	return vacancy_fill(&ctx->nodes, node);
}

int names_move(struct context *ctx, struct node *node, struct node *old, struct node *to, const char *name)
{
	char *copy = strdup(name);
	int err = !copy ? -ENOMEM : old ? names_remove(ctx, old) : ctx->leaving ? -ENOTCONN : 0;

	if (err < 0)
		free(copy);
	else
		node_move(&ctx->nodes, node, to, copy);
	return err;
}
