/*
 * A visit is there as long as the kernel refers to its node. Its state is the FUSE thread's picture of what the worker has:
 *
 *   ASKED    the worker is to make a tap
 *   AWAITED  it has one, with a reader or without
 *   RESTS    it has none: it has let go, its reader has left, or it cannot make one
 *
 * From RESTS the node is forgotten by the kernel, or the worker is asked again, after longer and longer times: the kernel
 * keeps what it has found last of each name, though it never uses that again without a look-up.
 *
 * So each open(2) looks up twice: the first finds that the name is not what it was, and is given back (FORGET) at once.
 * Then nobody can open that FIFO any more: the kernel refers to it for the daemon's own look-ups alone. It is a *spare*, for
 * the same user's next look-up, while it is young. Where there is
 * none, one is made beside each look-up, or soon after: so only the first of several waits for the worker.
 */
#include "visit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "broadcast.h"
#include "channel.h"
#include "clock.h"
#include "hold.h"
#include "log.h"
#include "number.h"
#include "reply.h"
#include "services.h"

/* The kernel forgets what is closed in less; the last is the longest. */
#define VISIT_REST_NSEC (NSEC_PER_SEC / 10)
#define VISIT_REST_MAX_NSEC (8 * NSEC_PER_SEC)

/* A spare is as good as new for so long: then the worker awaits it for half as long as another. */
#define VISIT_SPARE_NSEC (BROADCAST_NSEC / 2)
#define VISIT_SPARES 64

/* Who has got a spare is about to come again: the next is made behind his back. */
#define VISIT_STOCK_NSEC (NSEC_PER_SEC / 2000)

enum visit_state { VISIT_ASKED, VISIT_AWAITED, VISIT_RESTS };

struct visit {
	struct context *ctx;
	LIST_ENTRY(visit) entry;
	TAILQ_ENTRY(visit) waiting; /* as a spare, or at rest */
	enum visit_state state;
	struct node *node; /* pinned, as the name */
	struct node *name;
	struct hold hold; /* while it does not rest */
	fuse_req_t req;   /* to be answered; NULL: it is */
	struct job job;
	int err;
	struct visitor visitor;
	struct loop_task over; /* the worker has none any more */
	uint64_t since;        /* it is awaited */
	uint64_t until;        /* it rests */
	uint64_t rest;         /* the last one's length, in nanoseconds */
	bool spare;

	LIST_ENTRY(visit) stock; /* it was a spare: there is to be another */
	bool stocks;

	struct job dismissal;
	struct hold dismissed; /* while that is under way */
};

struct visits {
	struct context *ctx;
	LIST_HEAD(, visit) all;
	TAILQ_HEAD(visits_resting, visit) resting;
	TAILQ_HEAD(visit_spares, visit) spares; /* by age */
	unsigned spare_count;
	LIST_HEAD(, visit) stocks;
	struct loop_io stock;
	struct loop_io tick;
	uint64_t due; /* that */
};

static struct visits *visit_list(const struct visit *v)
{
	return v->ctx->services->visits;
}

static bool visit_is_open_to_nobody(const struct visit *v)
{
	return v->node->lookups <= v->node->numbered;
}

/* ---- begin and end ---- */

static void visit_free(struct visit *v)
{
	struct node_table *nodes = &v->ctx->nodes;
	struct node *node = v->node, *name = v->name;

	LIST_REMOVE(v, entry);
	if (v->stocks)
		LIST_REMOVE(v, stock);
	if (v->state == VISIT_RESTS)
		TAILQ_REMOVE(&visit_list(v)->resting, v, waiting);
	free(v);
	node->visit = NULL;
	node->visited = NULL;
	node->pins--;
	node_release(nodes, node);
	name->pins--;
	node_release(nodes, name);
}

static void visits_look_at(struct visits *visits, uint64_t at)
{
	uint64_t now = clock_nsec();

	if (loop_io_armed(&visits->tick) && visits->due <= at)
		return;
	loop_io_cancel(&visits->tick);
	visits->due = at;
	loop_io_timer(&visits->tick, at > now ? at - now : 0);
}

/* It is none any more. */
static void visit_use(struct visit *v)
{
	if (!v->spare)
		return;
	TAILQ_REMOVE(&visit_list(v)->spares, v, waiting);
	visit_list(v)->spare_count--;
	v->spare = false;
}

static void visit_rest(struct visit *v)
{
	struct visits *visits = visit_list(v);

	visit_use(v);
	hold_drop(&v->hold);
	v->state = VISIT_RESTS;
	v->rest = !v->rest ? VISIT_REST_NSEC : 2 * v->rest < VISIT_REST_MAX_NSEC ? 2 * v->rest : VISIT_REST_MAX_NSEC;
	v->until = clock_nsec() + v->rest;
	TAILQ_INSERT_TAIL(&visits->resting, v, waiting);
	if (!v->node->lookups && !v->dismissed.inode)
		visit_free(v);
	else
		visits_look_at(visits, v->until);
}

static void visit_over(struct loop_task *task)
{
	visit_rest(container_of(task, struct visit, over));
}

/* On the worker. */
static void visit_gone(struct visitor *visitor)
{
	struct visit *v = container_of(visitor, struct visit, visitor);

	number_forget(v->ctx, visitor->id);
	v->over.run = visit_over;
	loop_post(v->ctx->loop, &v->over);
}

static void visit_work_dismiss(struct job *job)
{
	struct visit *v = container_of(job, struct visit, dismissal);

	channel_dismiss(hold_channel(&v->dismissed), v->visitor.id);
}

static void visit_was_dismissed(struct job *job)
{
	struct visit *v = container_of(job, struct visit, dismissal);

	hold_drop(&v->dismissed);
	if (v->state == VISIT_RESTS && !v->node->lookups)
		visit_free(v);
}

static void visit_dismiss(struct visit *v)
{
	if (v->state != VISIT_AWAITED || v->dismissed.inode)
		return;
	hold_copy(&v->dismissed, &v->hold);
	hold_post(&v->dismissed, &v->dismissal, visit_work_dismiss, visit_was_dismissed);
}

static void visit_spare(struct visit *v)
{
	struct visits *visits = visit_list(v);

	v->spare = true;
	TAILQ_INSERT_TAIL(&visits->spares, v, waiting);
	if (++visits->spare_count <= VISIT_SPARES)
		return;
	v = TAILQ_FIRST(&visits->spares);
	visit_use(v);
	visit_dismiss(v);
}

/* Nobody can open it any more. One that is awaited again is not for long. */
static void visit_give_back(struct visit *v)
{
	if (v->rest || v->ctx->leaving)
		visit_dismiss(v);
	else if (!v->spare && !v->dismissed.inode)
		visit_spare(v);
}

/* A spare for who asks for @name, or one that is on its way. NULL: there is none. */
static struct visit *visit_find_spare(const struct visits *visits, const struct node *name, const struct visitor *who,
				      enum visit_state state)
{
	uint64_t now = clock_nsec();
	struct visit *v;

	TAILQ_FOREACH_REVERSE(v, &visits->spares, visit_spares, waiting)
	if (v->name == name && v->state == state && v->visitor.account == who->account &&
	    v->visitor.writes == who->writes && now < v->since + VISIT_SPARE_NSEC)
		break;
	return v;
}

void visit_forgotten(struct node *node)
{
	struct visit *v = node->visit;

	if (!node->lookups)
		node->numbered = 0;
	if (v->state == VISIT_AWAITED && !node->lookups)
		visit_dismiss(v);
	else if (v->state == VISIT_AWAITED && visit_is_open_to_nobody(v))
		visit_give_back(v);
	else if (v->state == VISIT_RESTS && !node->lookups && !v->dismissed.inode)
		visit_free(v);
}

/* ---- the worker is asked ---- */

static void visit_work(struct job *job)
{
	struct visit *v = container_of(job, struct visit, job);

	v->err = channel_await(hold_channel(&v->hold), v->name->id, &v->visitor);
	if (v->err < 0)
		number_forget(job->ctx, v->visitor.id);
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
		reply_entry(req, v->node);
}

static void visit_late(struct job *job)
{
	visit_answer(container_of(job, struct visit, job), 0);
}

static void visit_worked(struct job *job)
{
	struct visit *v = container_of(job, struct visit, job);

	if (job_given_up(job))
		v->err = -ETIMEDOUT;
	if (v->err < 0) {
		visit_answer(v, v->err);
		visit_rest(v);
		return;
	}
	v->state = VISIT_AWAITED;
	v->visitor.again = true;
	visit_answer(v, 0);
	if (v->ctx->leaving)
		visit_dismiss(v);
	else if (visit_is_open_to_nobody(v))
		visit_give_back(v);
}

/* Returns 0, or a negative errno of hold_object(): nothing has begun. */
static int visit_ask(struct visit *v)
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

/* Who may not write the channel is not asked for his groups where they make no difference. */
static bool visit_may_write(fuse_req_t req, const struct inode *inode)
{
	_cleanup_rights_ struct rights rights = { 0 };
	uid_t uid = fuse_req_ctx(req)->uid;

	if (uid == inode->uid && (inode->mode & S_IWUSR))
		return true;
	if (uid && uid != inode->uid && !(inode->mode & S_IWGRP) == !(inode->mode & S_IWOTH))
		return inode->mode & S_IWOTH;
	return access_rights(req, &rights) == 0 && access_check(&rights, inode, W_OK) == 0;
}

/* *out: a visit that rests, though nobody looks at it. Returns 0, -ENOMEM, or -EDQUOT of who asks. */
static int visit_create(struct visit **out, const struct visitor *who, struct node *name, struct context *ctx)
{
	struct visit *v = calloc(1, sizeof(*v));
	struct node *node = v ? node_create(&ctx->nodes, NODE_FIFO, name->inode, 0, 0, 0) : NULL;
	int err = node ? node_charge(node, who->account) : -ENOMEM;

	if (err < 0) {
		if (node)
			node_release(&ctx->nodes, node);
		free(v);
		return err;
	}
	*v = (struct visit){ .ctx = ctx, .state = VISIT_RESTS, .node = node, .name = name, .visitor = *who };
	v->visitor.id = node->id;
	v->visitor.again = false;
	node->visit = v;
	node->visited = name;
	node->pins++;
	name->pins++;
	LIST_INSERT_HEAD(&ctx->services->visits->all, v, entry);
	TAILQ_INSERT_TAIL(&ctx->services->visits->resting, v, waiting);
	*out = v;
	return 0;
}

/* Returns 0, or a negative errno of visit_ask(), and it rests. */
static int visit_begin(struct visit *v)
{
	int err;

	TAILQ_REMOVE(&visit_list(v)->resting, v, waiting);
	err = visit_ask(v);
	if (err < 0)
		TAILQ_INSERT_TAIL(&visit_list(v)->resting, v, waiting);
	return err;
}

/* Has a spare made for the next look-up of the same user, unless there is one. */
static void visit_stock(struct context *ctx, const struct visitor *who, struct node *name)
{
	struct visits *visits = ctx->services->visits;
	struct visit *v;

	if (visit_find_spare(visits, name, who, VISIT_AWAITED) || visit_find_spare(visits, name, who, VISIT_ASKED) ||
	    visit_create(&v, who, name, ctx) < 0)
		return;
	if (visit_begin(v) < 0)
		visit_free(v);
	else
		visit_spare(v);
}

static void visits_stock(struct loop_io *io, int res)
{
	struct visits *visits = container_of(io, struct visits, stock);
	struct visit *v;

	while ((v = LIST_FIRST(&visits->stocks))) {
		LIST_REMOVE(v, stock);
		v->stocks = false;
		if (v->name->parent)
			visit_stock(visits->ctx, &v->visitor, v->name);
	}
}

static void visit_stock_soon(struct visit *v)
{
	struct visits *visits = visit_list(v);

	if (v->stocks)
		return;
	v->stocks = true;
	LIST_INSERT_HEAD(&visits->stocks, v, stock);
	loop_io_timer(&visits->stock, VISIT_STOCK_NSEC);
}

/* There is no spare. Returns 0, and the request is answered or will be; or a negative errno. */
static int visit_start_anew(fuse_req_t req, const struct visitor *who, struct node *name)
{
	struct visit *v;
	int err = visit_create(&v, who, name, context_of(req));

	if (err == -EDQUOT)
		accounts_log_refusal(who->account, ACCOUNT_NODES, name->name);
	if (err < 0)
		return err;
	v->req = req;
	err = visit_begin(v);
	if (err == 0)
		return 0;
	v->req = NULL;
	if (err == -ETIMEDOUT)
		reply_entry(req, v->node);
	TAILQ_REMOVE(&visit_list(v)->resting, v, waiting);
	visit_rest(v);
	return err == -ETIMEDOUT ? 0 : err;
}

void visit_start(fuse_req_t req, struct node *name)
{
	struct context *ctx = context_of(req);
	struct visitor who = { .account = accounts_of_request(ctx, req), .gone = visit_gone };
	struct visit *v = NULL;
	int err = who.account ? 0 : -ENOMEM;

	if (err == 0) {
		who.writes = visit_may_write(req, name->inode);
		v = visit_find_spare(ctx->services->visits, name, &who, VISIT_AWAITED);
	}
	if (v) {
		visit_use(v);
		reply_entry(req, v->node);
		visit_stock_soon(v);
		return;
	}
	if (err == 0)
		err = visit_start_anew(req, &who, name);
	if (err < 0)
		reply_error(req, err);
	else
		visit_stock(ctx, &who, name);
}

/* ---- those that rest ---- */

/* What cannot be asked for rests on. */
static void visit_again(struct visit *v)
{
	TAILQ_REMOVE(&visit_list(v)->resting, v, waiting);
	if (v->dismissed.inode || visit_is_open_to_nobody(v) || !v->name->parent || visit_ask(v) < 0)
		visit_rest(v);
}

static void visits_tick(struct loop_io *io, int res)
{
	struct visits *visits = container_of(io, struct visits, tick);
	struct visit *v, *next, *last = TAILQ_LAST(&visits->resting, visits_resting);
	uint64_t now = clock_nsec();
	bool more = true;

	if (visits->ctx->leaving)
		return;
	for (v = TAILQ_FIRST(&visits->resting); v && more; v = next) {
		next = TAILQ_NEXT(v, waiting);
		more = v != last;
		if (v->until <= now)
			visit_again(v);
	}
	TAILQ_FOREACH(v, &visits->resting, waiting)
		visits_look_at(visits, v->until);
}

int visits_create(struct visits **out, struct context *ctx)
{
	struct visits *visits = *out = calloc(1, sizeof(*visits));

	if (!visits)
		return -ENOMEM;
	visits->ctx = ctx;
	LIST_INIT(&visits->all);
	TAILQ_INIT(&visits->resting);
	TAILQ_INIT(&visits->spares);
	LIST_INIT(&visits->stocks);
	loop_io_init(&visits->tick, ctx->loop, visits_tick);
	loop_io_init(&visits->stock, ctx->loop, visits_stock);
	return 0;
}

void visits_leave(struct visits *visits)
{
	struct visit *v;

	LIST_FOREACH(v, &visits->all, entry)
		visit_dismiss(v);
}

void visits_destroy(struct visits *visits)
{
	struct visit *v;

	if (!visits)
		return;
	loop_io_cancel(&visits->tick);
	loop_io_cancel(&visits->stock);
	while ((v = LIST_FIRST(&visits->all))) {
		LIST_REMOVE(v, entry);
		v->node->visit = NULL;
		free(v);
	}
	free(visits);
}
