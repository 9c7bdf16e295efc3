/*
 * The taps of one user live on several workers, so a charge is made without a lock: the sum is raised only from the
 * value that was compared with the limit. Less is given back by plain subtraction, which no limit can refuse.
 */
#include "account.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct account *accounts_of(struct accounts *list, uid_t uid)
{
	struct account *a;

	SLIST_FOREACH(a, list, entry)
		if (a->uid == uid)
			return a;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->uid = uid;
	SLIST_INSERT_HEAD(list, a, entry);
	return a;
}

void accounts_finish(struct accounts *list)
{
	struct account *a;

	while ((a = SLIST_FIRST(list))) {
		SLIST_REMOVE_HEAD(list, entry);
		free(a->groups);
		free(a);
	}
}

/* In bytes. */
static uint64_t account_machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);

	return pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : UINT64_MAX;
}

int charge_set(struct charge *c, uint64_t bytes)
{
	struct account *a = c->account;
	uint64_t used, limit, more;

	if (bytes <= c->bytes) {
		if (a)
			atomic_fetch_sub(&a->used, c->bytes - bytes);
		c->bytes = bytes;
		return 0;
	}
	if (bytes > account_machine_memory())
		return -EDQUOT;
	more = bytes - c->bytes;
	used = a ? atomic_load(&a->used) : 0;
	do {
		limit = a ? atomic_load(&a->limit) : 0;
		if (limit && (used > limit || more > limit - used))
			return -EDQUOT;
	} while (a && !atomic_compare_exchange_weak(&a->used, &used, used + more));
	c->bytes = bytes;
	return 0;
}

void charge_finish(struct charge *c)
{
	charge_set(c, 0);
	c->account = NULL;
}
