/* What the worker is asked for a visit, and tells of it. */
#include "visit-parts.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "clock.h"
#include "log.h"
#include "number.h"
#include "reply.h"

static void visit_over(struct loop_task *task)
{
	visit_rest(container_of(task, struct visit, over));
}

void visit_gone(struct visitor *visitor)
{
	struct visit *v = container_of(visitor, struct visit, visitor);

	number_forget(v->ctx, visitor->id);
	v->over.run = visit_over;
	loop_post(v->ctx->loop, &v->over);
}

/* ---- asked ---- */

static void visit_work(struct job *job)
{
	struct visit *v = container_of(job, struct visit, job);

	v->err = channel_await(hold_channel(&v->hold), v->name->id, &v->visitor);
	if (v->err < 0)
		number_forget(job->ctx, v->visitor.id);
}

void visit_answer_entry(fuse_req_t req, struct visit *v)
{
	if (!fuse_req_ctx(req)->uid)
		fuse_lowlevel_notify_inval_inode(v->ctx->session, v->node->id, -1, 0);
	reply_entry(req, v->node);
}

static void visit_answer(struct visit *v, int err)
{
	fuse_req_t req = v->req;

	v->req = NULL;
	if (!req)
		return;
	if (err == -EDQUOT)
		log_user_info(v->visitor.account->uid, "%s: user %u, who would read it, has used up the quota",
			      hold_channel(&v->hold)->label, v->visitor.account->uid);
	else if (err < 0)
		log_user_err(v->visitor.account->uid, "%s: cannot hold a FIFO for a reader: %s",
			     hold_channel(&v->hold)->label, strerror(-err));
	if (err < 0)
		reply_error(req, err);
	else
		visit_answer_entry(req, v);
}

static void visit_late(struct job *job)
{
	visit_answer(container_of(job, struct visit, job), 0);
}

/* His limits allow no more, but what was made ahead for him may have been what took the last of them. */
static void visit_answer_with_spare(struct visit *v)
{
	struct visit *spare = v->req ? visit_take_spare(visit_list(v), v->name, &v->visitor) : NULL;

	if (!spare)
		return;
	visit_answer_entry(v->req, spare);
	v->req = NULL;
}

static void visit_worked(struct job *job)
{
	struct visit *v = container_of(job, struct visit, job);

	if (job_given_up(job))
		v->err = -ETIMEDOUT;
	if (v->err == -EDQUOT || v->err == -EMFILE)
		visit_answer_with_spare(v);
	if (v->err < 0) {
		visit_answer(v, v->err);
		visit_rest(v);
		return;
	}
	v->state = VISIT_AWAITED;
	v->visitor.again = true;
	v->visitor.ahead = false;
	visit_answer(v, 0);
	if (v->ctx->leaving)
		visit_dismiss(v);
	else if (visit_is_open_to_nobody(v))
		visit_give_back(v);
}

int visit_ask(struct visit *v)
{
	int err = hold_take(&v->hold, v->ctx, v->node);

	if (err == 0)
		err = hold_object(&v->hold);
	if (err < 0) {
		hold_drop(&v->hold);
		return err;
	}
	v->state = VISIT_ASKED;
	v->since = clock_nsec();
	hold_post(&v->hold, &v->job, visit_work, visit_worked);
	job_patient(&v->job, job_deadline(), visit_late);
	return 0;
}

int visit_begin(struct visit *v)
{
	int err;

	visit_rests_no_more(v);
	err = visit_ask(v);
	if (err < 0)
		visit_rests(v);
	return err;
}

/* ---- dismissed ---- */

static void visit_work_dismiss(struct job *job)
{
	struct visit *v = container_of(job, struct visit, dismissal);

	channel_dismiss(hold_channel(&v->dismissed), &v->visitor);
}

static void visit_was_dismissed(struct job *job)
{
	struct visit *v = container_of(job, struct visit, dismissal);

	hold_drop(&v->dismissed);
	if (v->state == VISIT_RESTS && !v->node->lookups)
		visit_free(v);
}

void visit_dismiss(struct visit *v)
{
	if (v->state != VISIT_AWAITED || v->dismissed.inode)
		return;
	hold_copy(&v->dismissed, &v->hold);
	hold_post(&v->dismissed, &v->dismissal, visit_work_dismiss, visit_was_dismissed);
}
