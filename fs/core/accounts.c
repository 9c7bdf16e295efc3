#include "accounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "base.h"
#include "callers.h"
#include "gids.h"
#include "json.h"
#include "log.h"

void accounts_begin(struct context *ctx)
{
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		atomic_store(&ctx->accounts.shared[of].limit, quota_shared(of));
}

static void accounts_set_limits(struct context *ctx, struct account *a)
{
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		atomic_store(&a->of[of].limit, quota_limit(&ctx->quotas.of[of], a->uid, a->groups, a->count));
}

/* The supplementary groups, and the one that @r has besides. */
static int accounts_see_groups(struct account *a, const struct rights *r)
{
	size_t before = gids_place(r->groups, r->count, r->gid), after = r->count - before;
	gid_t *groups = realloc(a->groups, (r->count + 1) * sizeof(*groups));

	if (!groups)
		return -1;
	if (before)
		memcpy(groups, r->groups, before * sizeof(*groups));
	groups[before] = r->gid;
	if (after)
		memcpy(groups + before + 1, r->groups + before, after * sizeof(*groups));
	a->groups = groups;
	a->count = r->count + 1;
	return 0;
}

struct account *accounts_of_caller(struct context *ctx, const struct rights *r)
{
	struct account *a = accounts_of(&ctx->accounts, r->uid);

	if (!a || accounts_see_groups(a, r) < 0)
		return NULL;
	accounts_set_limits(ctx, a);
	return a;
}

struct account *accounts_of_user(struct context *ctx, uid_t uid)
{
	struct account *a = accounts_of(&ctx->accounts, uid);

	if (a)
		accounts_set_limits(ctx, a);
	return a;
}

static bool accounts_have_group_rules(const struct quotas *q)
{
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		for (size_t i = 0; i < q->of[of].count; i++)
			if (q->of[of].rules[i].group)
				return true;
	return false;
}

struct account *accounts_of_request(struct context *ctx, fuse_req_t req)
{
	struct account *a = accounts_of_user(ctx, fuse_req_ctx(req)->uid);
	_cleanup_rights_ struct rights rights = { 0 };

	if (!a || a->count || !accounts_have_group_rules(&ctx->quotas))
		return a;
	return access_rights(req, &rights) < 0 ? NULL : accounts_of_caller(ctx, &rights);
}

bool accounts_wait(fuse_req_t req)
{
	struct context *ctx = context_of(req);
	const struct account *a = accounts_of(&ctx->accounts, fuse_req_ctx(req)->uid);

	return a && !a->count && accounts_have_group_rules(&ctx->quotas) && callers_wait(req);
}

void accounts_limit(struct context *ctx)
{
	struct account *a, *next;

	HASH_ITER(by_uid, ctx->accounts.by_uid, a, next)
		accounts_set_limits(ctx, a);
}

static uint64_t accounts_left(const struct account_count *count)
{
	uint64_t used = atomic_load(&count->used), limit = atomic_load(&count->limit);

	return !limit ? UINT64_MAX : used < limit ? limit - used : 0;
}

uint64_t accounts_nodes_left(struct context *ctx, fuse_req_t req)
{
	const struct account *a = accounts_of_request(ctx, req);
	uint64_t own = a ? accounts_left(&a->of[ACCOUNT_NODES]) : 0;
	uint64_t shared = accounts_left(&ctx->accounts.shared[ACCOUNT_NODES]); /* for others it is a guess */

	return own < shared ? own : shared;
}

void accounts_log_refusal(const struct account *a, enum account_resource of, const char *name)
{
	uint64_t used = atomic_load(&a->of[of].used), limit = atomic_load(&a->of[of].limit);

	if (limit && used >= limit)
		log_user_info(a->uid, "%s: user %u has %ju of %ju %s", name, a->uid, (uintmax_t)used, (uintmax_t)limit,
			      account_resource_name(of));
	else
		log_user_info(a->uid, "%s: user %u would have too many %s, or all users together", name, a->uid,
			      account_resource_name(of));
}

int accounts_charge_node(struct context *ctx, fuse_req_t req, struct node *node, const char *name)
{
	struct account *a = accounts_of_request(ctx, req);
	int err = node_charge(node, a);

	if (err == -EDQUOT)
		accounts_log_refusal(a, ACCOUNT_NODES, name);
	return err;
}

/* ---- told ---- */

static void account_report_take(struct account_report *to, const struct account *a)
{
	to->uid = a->uid;
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++) {
		to->used[of] = atomic_load(&a->of[of].used);
		to->limit[of] = atomic_load(&a->of[of].limit);
	}
}

int accounts_report(struct context *ctx, const struct rights *r, struct account_report **all, size_t *count)
{
	bool every = r->uid == 0 || r->uid == geteuid();
	struct account *own = accounts_of_caller(ctx, r), *a, *next;

	*count = 0;
	*all = own ? calloc(every ? HASH_CNT(by_uid, ctx->accounts.by_uid) : 1, sizeof(**all)) : NULL;
	if (!*all)
		return -ENOMEM;
	if (!every)
		account_report_take(&(*all)[(*count)++], own);
	else
		HASH_ITER(by_uid, ctx->accounts.by_uid, a, next)
			account_report_take(&(*all)[(*count)++], a);
	return 0;
}

json_t *account_report_json(const struct account_report *report)
{
	static const char *const used[] = { "used", "nodes", "descriptors" };
	static const char *const limit[] = { "limit", "nodes_limit", "descriptors_limit" };
	json_t *json = json_pack("{so}", "uid", json_of_number(report->uid));

	for (enum account_resource of = 0; json && of < ACCOUNT_RESOURCES; of++)
		if (json_object_set_new(json, used[of], json_of_number(report->used[of])) < 0 ||
		    json_object_set_new(json, limit[of],
					report->limit[of] ? json_of_number(report->limit[of]) : json_null()) < 0) {
			json_decref(json);
			return NULL;
		}
	return json;
}

json_t *accounts_json(struct context *ctx, const struct rights *r)
{
	_cleanup_free_ struct account_report *all = NULL;
	size_t count;
	json_t *list = accounts_report(ctx, r, &all, &count) == 0 ? json_array() : NULL;

	for (size_t i = 0; list && i < count; i++)
		if (json_array_append_new(list, account_report_json(&all[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}
