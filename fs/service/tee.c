/*
 * The name is in its place, not to be seen, until the worker has made the tap. Where that is late the name goes, and what is
 * made after that goes as well.
 */
#include "tee.h"

#include <errno.h>
#include <string.h>

#include "accounts.h"
#include "base.h"
#include "broadcast.h"
#include "channel.h"
#include "inode.h"
#include "log.h"
#include "number.h"
#include "settings.h"

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
	int err = inode->origin ? settings_limits(t->ctx, r, inode, &t->limits) : -ENOENT;

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
