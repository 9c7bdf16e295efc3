#include "callers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>
#include <uthash.h>

#include "base.h"
#include "context.h"
#include "errand.h"
#include "reply.h"
#include "rights.h"

/* A request that waits for its caller's groups. */
struct caller {
	struct errand errand;
	TAILQ_ENTRY(caller) entry; /* while it waits for its turn */
	struct context *ctx;
	struct caller_user *user;
	pid_t pid;
	struct caller_groups groups;
	size_t size;
	char data[]; /* the request, as it was read */
};

struct caller_user {
	UT_hash_handle hh;
	uid_t uid;
	unsigned under_way; /* one at least */
	unsigned waiting_count;
	TAILQ_HEAD(, caller) waiting;
};

struct caller_groups callers_take(struct context *ctx)
{
	struct caller_groups groups = ctx->callers.groups;

	ctx->callers.groups = (struct caller_groups){ 0 };
	return groups;
}

void callers_give(struct context *ctx, struct caller_groups *groups)
{
	callers_forget(ctx);
	ctx->callers.groups = *groups;
	*groups = (struct caller_groups){ 0 };
}

void callers_forget(struct context *ctx)
{
	free(callers_take(ctx).groups);
}

void callers_process(struct context *ctx, const struct fuse_buf *request)
{
	ctx->callers.request = request;
	fuse_session_process_buf(ctx->session, request);
	ctx->callers.request = NULL;
	callers_forget(ctx);
}

/* With what is known of it now. */
static void caller_go_on(struct caller *c)
{
	const struct fuse_buf request = { .mem = c->data, .size = c->size };

	callers_give(c->ctx, &c->groups);
	callers_process(c->ctx, &request);
}

/* ---- the errand ---- */

static void caller_read(struct errand *e)
{
	struct caller *c = container_of(e, struct caller, errand);

	c->groups.err = rights_read_groups(c->pid, &c->groups.groups, &c->groups.count);
}

static void caller_free(struct errand *e)
{
	struct caller *c = container_of(e, struct caller, errand);

	free(c->groups.groups);
	free(c);
}

static void caller_was_read(struct errand *e);

static int caller_start(struct caller *c)
{
	int err;

	c->errand = (struct errand){
		.run = caller_read,
		.done = caller_was_read,
		.free = caller_free,
		.loop = c->ctx->loop,
		.uid = c->user->uid,
	};
	c->groups.known = true;
	err = errand_start(&c->errand, 0);
	if (err == 0)
		c->user->under_way++;
	return err;
}

/* Has as many read as may be at a time. Who cannot be, and has nobody under way to be followed by, is refused for it. */
static void caller_user_go_on(struct context *ctx, struct caller_user *user)
{
	struct caller *c;

	while (user->under_way < CALLERS_USER_MAX && (c = TAILQ_FIRST(&user->waiting))) {
		int err = caller_start(c);

		if (err < 0 && user->under_way)
			return;
		TAILQ_REMOVE(&user->waiting, c, entry);
		user->waiting_count--;
		if (err == 0)
			continue;
		c->groups.err = err;
		caller_go_on(c);
		caller_free(&c->errand);
	}
	if (user->under_way)
		return;
	HASH_DELETE(hh, ctx->callers.users, user);
	free(user);
}

static void caller_was_read(struct errand *e)
{
	struct caller *c = container_of(e, struct caller, errand);

	caller_go_on(c);
	c->user->under_way--;
	caller_user_go_on(c->ctx, c->user);
}

/* ---- what waits ---- */

static struct caller_user *caller_user_of(struct callers *callers, uid_t uid)
{
	struct caller_user *user;

	HASH_FIND(hh, callers->users, &uid, sizeof(uid), user);
	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	TAILQ_INIT(&user->waiting);
	HASH_ADD(hh, callers->users, uid, sizeof(uid), user);
	if (user->hh.tbl)
		return user;
	free(user);
	return NULL;
}

/* A copy of the request that is being handled. */
static struct caller *caller_create(struct context *ctx, pid_t pid)
{
	const struct fuse_buf *request = ctx->callers.request;
	struct caller *c = malloc(sizeof(*c) + request->size);

	if (!c)
		return NULL;
	*c = (struct caller){ .ctx = ctx, .pid = pid, .size = request->size };
	memcpy(c->data, request->mem, request->size);
	return c;
}

/* Returns 0, or a negative errno and it does not wait. */
static int caller_wait(struct context *ctx, const struct fuse_ctx *who)
{
	struct caller *c = caller_create(ctx, who->pid);
	int err = 0;

	if (!c)
		return -ENOMEM;
	c->user = caller_user_of(&ctx->callers, who->uid);
	if (!c->user) {
		free(c);
		return -ENOMEM;
	}
	if (c->user->under_way < CALLERS_USER_MAX && TAILQ_EMPTY(&c->user->waiting))
		err = caller_start(c);
	else
		err = -EUSERS;
	if (err == 0)
		return 0;
	if (c->user->under_way && c->user->waiting_count < CALLERS_WAITING_MAX) {
		c->user->waiting_count++;
		TAILQ_INSERT_TAIL(&c->user->waiting, c, entry);
		return 0;
	}
	if (!c->user->under_way)
		caller_user_go_on(ctx, c->user); /* it is nobody's */
	free(c);
	return err;
}

bool callers_wait(fuse_req_t req)
{
	const struct fuse_ctx *who = fuse_req_ctx(req);
	struct context *ctx = context_of(req);
	int err;

	if (!ctx->callers.request || ctx->callers.groups.known || who->pid <= 0 || who->uid == 0 ||
	    who->uid == geteuid())
		return false;
	err = caller_wait(ctx, who);
	if (err < 0)
		reply_error(req, err);
	else
		fuse_reply_none(req); /* (no answer: libfuse forgets it) */
	return true;
}
