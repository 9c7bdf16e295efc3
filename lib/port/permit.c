#include "permit.h"

#include <errno.h>
#include <stdlib.h>

static bool has(const id_t *ids, size_t count, id_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

bool permits_allow(const struct permits *all, enum uri_kind kind, const struct rights *r)
{
	const struct permit *p = all ? &all->of[kind] : NULL;

	if (!p || !p->limited || has(p->users, p->user_count, r->uid) || has(p->groups, p->group_count, r->gid))
		return true;
	for (size_t i = 0; i < r->count; i++)
		if (has(p->groups, p->group_count, r->groups[i]))
			return true;
	return false;
}

static int add(id_t **ids, size_t *count, id_t id)
{
	id_t *grown = realloc(*ids, (*count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[(*count)++] = id;
	*ids = grown;
	return 0;
}

void permit_limit(struct permit *p)
{
	p->limited = true;
}

int permit_user(struct permit *p, uid_t uid)
{
	permit_limit(p);
	return add(&p->users, &p->user_count, uid);
}

int permit_group(struct permit *p, gid_t gid)
{
	permit_limit(p);
	return add(&p->groups, &p->group_count, gid);
}

void permits_finish(struct permits *p)
{
	for (int kind = 0; kind < URI_KINDS; kind++) {
		free(p->of[kind].users);
		free(p->of[kind].groups);
	}
	*p = (struct permits){ 0 };
}
