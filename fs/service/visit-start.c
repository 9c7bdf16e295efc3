/* A look-up of a broadcast's name, and its answer: with a spare, or with what the worker is asked for. */
#include "visit.h"

#include <errno.h>
#include <unistd.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "callers.h"
#include "reply.h"
#include "visit-parts.h"

static bool visit_may_write(fuse_req_t req, const struct inode *inode)
{
	_cleanup_rights_ struct rights rights = { 0 };
	uid_t uid = fuse_req_ctx(req)->uid;

	if (uid == inode->uid && (inode->mode & S_IWUSR))
		return true;
	if (uid && uid != inode->uid && !access_asks_groups(uid, inode, W_OK))
		return inode->mode & S_IWOTH;
	return access_rights(req, &rights) == 0 && access_check(&rights, inode, W_OK) == 0;
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
		visit_answer_entry(req, v);
	visit_rests_no_more(v);
	visit_rest(v);
	return err == -ETIMEDOUT ? 0 : err;
}

bool visit_waits(fuse_req_t req, const struct node *name)
{
	return access_asks_groups(fuse_req_ctx(req)->uid, name->inode, W_OK) && callers_wait(req);
}

void visit_start(fuse_req_t req, struct node *name)
{
	struct context *ctx = context_of(req);
	struct visitor who = { .account = accounts_of_request(ctx, req), .gone = visit_gone };
	struct visit *v = NULL;
	int err = who.account ? 0 : -ENOMEM;

	if (err == 0) {
		who.writes = visit_may_write(req, name->inode);
		v = visit_take_spare(ctx->services->visits, name, &who);
	}
	if (v) {
		visit_answer_entry(req, v);
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
