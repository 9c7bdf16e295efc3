/*
 * The name is in its place, not to be seen, until the worker has made the tap. Where that is late the name goes, and what is
 * made after that goes as well.
 */
#include "tee.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "broadcast.h"
#include "channel.h"
#include "folder.h"
#include "inode.h"
#include "log.h"
#include "number.h"
#include "settings.h"

static int tee_refuse(struct tee_request *t, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int tee_refuse(struct tee_request *t, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->why, sizeof(t->why), fmt, ap);
	va_end(ap);
	return err;
}

/* ---- what is asked for ---- */

/* (The kernel asks for it with link(2), by protected_hardlinks of proc_sys_fs(5), but not everywhere.) */
bool tee_is_allowed(const struct rights *r, const struct inode *inode)
{
	return r->uid == inode->uid || access_check(r, inode, W_OK) == 0;
}

int tee_place(struct tee_request *t, const struct rights *r, const char *path)
{
	const struct node *place = node_name(t->node);
	int err;

	if (!place || !place->parent)
		return tee_refuse(t, -ENOENT, "the channel has no name any more");
	err = access_walk(t->ctx, r, place->parent, path, &t->dir, &t->name);
	if (err == 0)
		err = folder_for_new(t->ctx, t->dir->id, t->name, &t->dir);
	switch (err) {
	case -EXDEV:
		return tee_refuse(t, -EINVAL, "the tap would be outside the mount");
	case -EEXIST:
		return tee_refuse(t, err, "a tap's name must be new");
	case -EACCES:
		return tee_refuse(t, err, "no right to make a name there");
	default:
		return err;
	}
}

int tee_set(struct tee_request *t, const char *name, const char *text)
{
	char why[SETTING_TEXT_MAX];
	int key = setting_find(name);
	int err;

	if (key < 0)
		return tee_refuse(t, -EINVAL, "%.32s: there is no such setting", name);
	if (!(settings_table[key].of & SETTING_OF_TAP))
		return tee_refuse(t, -EINVAL, "%s: not a tap's", name);
	if (t->has[key])
		return tee_refuse(t, -EINVAL, "%s: twice", name);
	err = setting_parse((enum setting_key)key, text, &t->value[key], why);
	if (err < 0)
		return tee_refuse(t, err, "%s: %s", name, why);
	t->has[key] = true;
	return 0;
}

/* Returns 0, -EACCES or -ENOMEM. */
static int tee_limits(struct tee_request *t, const struct rights *r)
{
	const struct inode *inode = t->node->inode;
	int err = settings_limits(t->ctx, r, inode, &t->limits);

	for (int key = 0; key < SETTINGS; key++)
		if (t->has[key])
			t->limits.settings.value[key] = t->value[key];
	if (!setting_fits(t->has, t->value))
		return tee_refuse(t, -EINVAL, SETTING_MISFIT);
	t->ruled = t->has[SETTING_POLICY];
	if (err == 0 && t->ruled && t->value[SETTING_POLICY] == POLICY_BLOCK && access_check(r, inode, W_OK) < 0)
		err = tee_refuse(t, -EACCES, "policy: who may not write the channel cannot hold its writer back");
	return err;
}

/* ---- making it ---- */

static void tee_work(struct job *job)
{
	struct tee_request *t = container_of(job, struct tee_request, job);

	const struct channel *ch = hold_channel(&t->hold);

	if (t->each)
		t->err = channel_add_broadcast(hold_channel(&t->hold), t->id, &t->limits.settings, t->ruled);
	else
		t->err = channel_add_tap(hold_channel(&t->hold), t->id, &t->limits);
	if (t->err < 0)
		number_forget(job->ctx, t->id);
	else
		t->stamp = stamp_get(t->each ? broadcast_find(ch, t->id)->stamp : channel_find_tap(ch, t->id)->stamp);
}

static void tee_work_undo(struct job *job)
{
	struct tee_request *t = container_of(job, struct tee_request, job);

	channel_remove_tap(hold_channel(&t->hold), t->id);
	number_forget(job->ctx, t->id);
}

/* Nothing is left of what was late. */
static void tee_undone(struct job *job)
{
	struct tee_request *t = container_of(job, struct tee_request, job);
	struct hold hold = t->hold;

	t->err = -ETIMEDOUT;
	t->done(t);
	hold_drop(&hold);
}

static void tee_late(struct job *job)
{
	struct tee_request *t = container_of(job, struct tee_request, job);
	struct node *tap = t->hold.node;

	log_user_err(tap->maker, "%s: cannot make tap %s: the channel's worker does not answer",
		     hold_channel(&t->hold)->label, tap->name);
	tap->pending = false;
	node_detach(&t->ctx->nodes, tap);
	if (t->late)
		t->late(t);
}

static void tee_finish(struct job *job)
{
	struct tee_request *t = container_of(job, struct tee_request, job);
	struct hold hold = t->hold; /* the tee may be gone after done() */
	struct node *tap = hold.node;

	if (t->stamp)
		tap->stamp = t->stamp;
	t->stamp = NULL;
	if (job->is_late && (job_given_up(job) || t->err < 0)) {
		tee_undone(job);
		return;
	}
	if (job->is_late) {
		hold_post(&t->hold, job, tee_work_undo, tee_undone);
		return;
	}
	tap->pending = false;
	t->tap = tap;
	if (t->err < 0) {
		log_user_err(tap->maker, "%s: cannot make tap %s: %s", hold_channel(&hold)->label, tap->name,
			     strerror(-t->err));
		node_detach(&job->ctx->nodes, tap);
		t->tap = NULL;
	}
	t->done(t);
	hold_drop(&hold);
}

static int tee_begin(struct tee_request *t, uid_t maker)
{
	struct context *ctx = t->ctx;
	struct inode *inode = t->node->inode;
	struct node *tap;
	int err;

	if (ctx->leaving)
		return -ENOTCONN;
	tap = node_create(&ctx->nodes, NODE_FIFO, inode, 0, 0, 0);
	if (!tap)
		return -ENOMEM;
	hold_take(&t->hold, ctx, tap);
	err = node_charge(tap, t->limits.account);
	if (err == -EDQUOT)
		accounts_log_refusal(t->limits.account, ACCOUNT_NODES, t->name);
	if (err == 0)
		err = node_attach(&ctx->nodes, tap, t->dir, t->name);
	if (err < 0) {
		hold_drop(&t->hold);
		return err;
	}
	tap->pending = true;
	tap->maker = maker;
	tap->each = t->each;
	err = hold_object(&t->hold); /* it sees who can reach the new name */
	if (err < 0) {
		tap->pending = false;
		node_detach(&ctx->nodes, tap);
		hold_drop(&t->hold);
		return err;
	}
	t->id = tap->id;
	hold_post(&t->hold, &t->job, tee_work, tee_finish);
	job_patient(&t->job, job_deadline(), tee_late);
	return 0;
}

int tee_start(struct tee_request *t, const struct rights *r)
{
	const struct inode *inode = t->node->inode;
	int err = inode->origin ? tee_limits(t, r) : -ENOENT;

	if (err == 0)
		err = tee_begin(t, r->uid);
	if (!inode->origin)
		log_user_info(r->uid, "link %s: the channel's origin is gone, no stream can follow", t->name);
	else if (err == -EDQUOT)
		log_user_info(
			r->uid,
			"link %s: the quota of user %u, who links, or of user %u, whose channel it is, is used up",
			t->name, r->uid, inode->uid);
	return err;
}

int tee_start_declared(struct tee_request *t, const struct settings *settings, bool ruled)
{
	uid_t owner = t->node->inode->uid;

	t->limits = (struct limits){ .settings = *settings, .account = accounts_of_user(t->ctx, owner) };
	t->ruled = ruled;
	return t->limits.account ? tee_begin(t, owner) : -ENOMEM;
}
