#include "visitors.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

/* Those of one account; there is at least one. */
struct visitors_party {
	UT_hash_handle by_account;
	const struct account *account; /* NULL: nobody's */
	RB_HEAD(visitors_own, visitor) own;
	size_t count;
};

static int visitors_by_end(const struct visitor *a, const struct visitor *b)
{
	if (a->until != b->until)
		return a->until < b->until ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

RB_GENERATE_INTERNAL(visitors_all, visitor, by_end, visitors_by_end, TREE_STATIC)
RB_GENERATE_INTERNAL(visitors_own, visitor, by_end_of_party, visitors_by_end, TREE_STATIC)

static struct visitors_party *visitors_party(const struct visitors *list, const struct account *account)
{
	struct visitors_party *party;

	HASH_FIND(by_account, list->parties, &account, sizeof(account), party);
	return party;
}

static struct visitors_party *visitors_found_party(struct visitors *list, const struct account *account)
{
	struct visitors_party *party = calloc(1, sizeof(*party));

	if (!party)
		return NULL;
	party->account = account;
	RB_INIT(&party->own);
	HASH_ADD(by_account, list->parties, account, sizeof(party->account), party);
	return party;
}

int visitors_add(struct visitors *list, struct visitor *v)
{
	struct visitors_party *party = visitors_party(list, v->account);

	if (!party)
		party = visitors_found_party(list, v->account);
	if (!party)
		return -ENOMEM;
	v->party = party;
	party->count++;
	RB_INSERT(visitors_own, &party->own, v);
	RB_INSERT(visitors_all, &list->all, v);
	return 0;
}

void visitors_remove(struct visitors *list, struct visitor *v)
{
	struct visitors_party *party = v->party;

	RB_REMOVE(visitors_all, &list->all, v);
	RB_REMOVE(visitors_own, &party->own, v);
	v->party = NULL;
	if (--party->count)
		return;
	HASH_DELETE(by_account, list->parties, party);
	free(party);
}

struct visitor *visitors_first(struct visitors *list)
{
	return RB_MIN(visitors_all, &list->all);
}

struct visitor *visitors_first_of(const struct visitors *list, const struct account *account)
{
	struct visitors_party *party = visitors_party(list, account);

	return party ? RB_MIN(visitors_own, &party->own) : NULL;
}

size_t visitors_count(const struct visitors *list, const struct account *account)
{
	const struct visitors_party *party = visitors_party(list, account);

	return party ? party->count : 0;
}

struct visitor *visitors_next(struct visitor *v)
{
	return RB_NEXT(visitors_all, , v);
}
