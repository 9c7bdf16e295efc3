#include "accounts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

static void set_limit(struct server *s, struct account *a)
{
	atomic_store(&a->limit, quota_limit(&s->quotas, a->uid, a->groups, a->count));
}

/* The supplementary groups, and the one that @r has besides. */
static int see_groups(struct account *a, const struct rights *r)
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

struct account *account_of_caller(struct server *s, const struct rights *r)
{
	struct account *a = accounts_of(&s->accounts, r->uid);

	if (!a || see_groups(a, r) < 0)
		return NULL;
	set_limit(s, a);
	return a;
}

struct account *account_of_user(struct server *s, uid_t uid)
{
	struct account *a = accounts_of(&s->accounts, uid);

	if (a)
		set_limit(s, a);
	return a;
}

void accounts_limit(struct server *s)
{
	struct account *a;

	SLIST_FOREACH(a, &s->accounts, entry)
		set_limit(s, a);
}

static json_t *account_json(struct account *a)
{
	uint64_t limit = atomic_load(&a->limit);

	return json_pack("{so so so}", "uid", json_of_number(a->uid), "used", json_of_number(atomic_load(&a->used)),
			 "limit", limit ? json_of_number(limit) : json_null());
}

json_t *accounts_tell(struct server *s, const struct rights *r)
{
	bool all = r->uid == 0 || r->uid == geteuid();
	json_t *list = account_of_caller(s, r) ? json_array() : NULL;
	struct account *a;

	SLIST_FOREACH(a, &s->accounts, entry)
		if ((all || a->uid == r->uid) && json_array_append_new(list, account_json(a)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}
