/*
 * The taps of one user live on several workers, so a charge is made without a lock: the sum is raised only from the
 * value that was compared with the limit. Less is given back by plain subtraction, which no limit can refuse.
 */
#include "account.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

const char *account_resource_name(enum account_resource of)
{
	static const char *const names[] = {
		[ACCOUNT_BYTES] = "bytes",
		[ACCOUNT_NODES] = "nodes",
		[ACCOUNT_DESCRIPTORS] = "descriptors",
	};

	return names[of];
}

struct account *accounts_of(struct accounts *list, uid_t uid)
{
	struct account *a;

	HASH_FIND(by_uid, list->by_uid, &uid, sizeof(uid), a);
	if (a)
		return a;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->uid = uid;
	a->shared = uid == 0 || uid == geteuid() ? NULL : list->shared;
	HASH_ADD(by_uid, list->by_uid, uid, sizeof(a->uid), a);
	if (!a->by_uid.tbl) {
		free(a);
		return NULL;
	}
	return a;
}

void accounts_finish(struct accounts *list)
{
	struct account *a, *next;

	HASH_ITER(by_uid, list->by_uid, a, next) {
		HASH_DELETE(by_uid, list->by_uid, a);
		free(a->groups);
		free(a);
	}
}

static bool account_count_is_over(const struct account_count *count)
{
	uint64_t limit = atomic_load(&count->limit);

	return limit && atomic_load(&count->used) > limit;
}

bool account_is_over(const struct account *a)
{
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		if (account_count_is_over(&a->of[of]) || (a->shared && account_count_is_over(&a->shared[of])))
			return true;
	return false;
}

/* In bytes. */
static uint64_t account_machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);

	return pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : UINT64_MAX;
}

/* Returns whether so much more is within the limit, and counts it then. */
static bool account_take(struct account_count *count, uint64_t more)
{
	uint64_t used = atomic_load(&count->used), limit;

	do {
		limit = atomic_load(&count->limit);
		if (limit && (used > limit || more > limit - used))
			return false;
	} while (!atomic_compare_exchange_weak(&count->used, &used, used + more));
	return true;
}

static void account_give(struct account_count *count, uint64_t less)
{
	atomic_fetch_sub(&count->used, less);
}

int charge_set(struct charge *c, uint64_t amount)
{
	struct account *a = c->account;

	if (amount > c->amount) {
		uint64_t more = amount - c->amount;

		if (c->of == ACCOUNT_BYTES && amount > account_machine_memory())
			return -EDQUOT;
		if (a && !account_take(&a->of[c->of], more))
			return -EDQUOT;
		if (a && a->shared && !account_take(&a->shared[c->of], more)) {
			account_give(&a->of[c->of], more);
			return -EDQUOT;
		}
	} else if (a) {
		account_give(&a->of[c->of], c->amount - amount);
		if (a->shared)
			account_give(&a->shared[c->of], c->amount - amount);
	}
	c->amount = amount;
	return 0;
}

int charge_raise(struct charge *c, uint64_t amount)
{
	return amount > c->amount ? charge_set(c, amount) : 0;
}

void charge_note(struct charge *c, uint64_t amount)
{
	struct account *a = c->account;

	if (a)
		atomic_fetch_add(&a->of[c->of].used, amount - c->amount);
	if (a && a->shared)
		atomic_fetch_add(&a->shared[c->of].used, amount - c->amount);
	c->amount = amount;
}

void charge_finish(struct charge *c)
{
	charge_set(c, 0);
	c->account = NULL;
}
