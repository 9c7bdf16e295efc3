#include "permit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool permit_has(const id_t *ids, size_t count, id_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

const struct permit *permits_find(const struct permits *all, const char *kind)
{
	for (size_t i = 0; all && i < all->count; i++)
		if (!strcmp(all->all[i].kind, kind))
			return &all->all[i];
	return NULL;
}

bool permits_allow(const struct permits *all, const char *kind, const struct rights *r)
{
	const struct permit *p = permits_find(all, kind);

	if (!p || p->all || permit_has(p->users, p->user_count, r->uid) ||
	    permit_has(p->groups, p->group_count, r->gid))
		return true;
	for (size_t i = 0; i < r->count; i++)
		if (permit_has(p->groups, p->group_count, r->groups[i]))
			return true;
	return false;
}

struct permit *permits_limit(struct permits *all, const char *kind)
{
	struct permit *grown = (struct permit *)permits_find(all, kind);

	if (grown)
		return grown;
	grown = realloc(all->all, (all->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	all->all = grown;
	grown[all->count] = (struct permit){ .kind = strdup(kind) };
	return grown[all->count].kind ? &grown[all->count++] : NULL;
}

static int permit_add(id_t **ids, size_t *count, id_t id)
{
	id_t *grown = realloc(*ids, (*count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[(*count)++] = id;
	*ids = grown;
	return 0;
}

int permit_user(struct permit *p, uid_t uid)
{
	return permit_add(&p->users, &p->user_count, uid);
}

int permit_group(struct permit *p, gid_t gid)
{
	return permit_add(&p->groups, &p->group_count, gid);
}

static bool permit_same_ids(const id_t *a, size_t n, const id_t *b, size_t m)
{
	return n == m && (!n || !memcmp(a, b, n * sizeof(*a)));
}

bool permits_equal(const struct permits *a, const struct permits *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct permit *p = &a->all[i], *q = permits_find(b, p->kind);

		if (!q || p->all != q->all || !permit_same_ids(p->users, p->user_count, q->users, q->user_count) ||
		    !permit_same_ids(p->groups, p->group_count, q->groups, q->group_count))
			return false;
	}
	return true;
}

void permits_finish(struct permits *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->all[i].kind);
		free(p->all[i].users);
		free(p->all[i].groups);
	}
	free(p->all);
	*p = (struct permits){ 0 };
}
