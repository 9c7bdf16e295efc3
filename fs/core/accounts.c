#include "accounts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

static void accounts_set_limit(struct context *ctx, struct account *a)
{
	atomic_store(&a->limit, quota_limit(&ctx->quotas, a->uid, a->groups, a->count));
}

/* The supplementary groups, and the one that @r has besides. */
static int accounts_see_groups(struct account *a, const struct rights *r)
{
	gid_t *groups;

	if (a->count == r->count + 1 && a->groups[r->count] == r->gid &&
	    (!r->count || !memcmp(a->groups, r->groups, r->count * sizeof(*groups))))
		return 0;
	groups = realloc(a->groups, (r->count + 1) * sizeof(*groups));
	if (!groups)
		return -1;
	if (r->count)
		memcpy(groups, r->groups, r->count * sizeof(*groups));
	groups[r->count] = r->gid;
	a->groups = groups;
	a->count = r->count + 1;
	return 0;
}

struct account *accounts_of_caller(struct context *ctx, const struct rights *r)
{
	struct account *a = accounts_of(&ctx->accounts, r->uid);

	if (!a || accounts_see_groups(a, r) < 0)
		return NULL;
	accounts_set_limit(ctx, a);
	return a;
}

struct account *accounts_of_user(struct context *ctx, uid_t uid)
{
	struct account *a = accounts_of(&ctx->accounts, uid);

	if (a)
		accounts_set_limit(ctx, a);
	return a;
}

void accounts_limit(struct context *ctx)
{
	struct account *a;

	SLIST_FOREACH(a, &ctx->accounts, entry)
		accounts_set_limit(ctx, a);
}

static json_t *accounts_json_of(struct account *a)
{
	uint64_t limit = atomic_load(&a->limit);

	return json_pack("{so so so}", "uid", json_of_number(a->uid), "used", json_of_number(atomic_load(&a->used)),
			 "limit", limit ? json_of_number(limit) : json_null());
}

json_t *accounts_json(struct context *ctx, const struct rights *r)
{
	bool all = r->uid == 0 || r->uid == geteuid();
	json_t *list = accounts_of_caller(ctx, r) ? json_array() : NULL;
	struct account *a;

	SLIST_FOREACH(a, &ctx->accounts, entry)
		if ((all || a->uid == r->uid) && json_array_append_new(list, accounts_json_of(a)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}
