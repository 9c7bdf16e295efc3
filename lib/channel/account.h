/*
 * Accounts: the bytes of ring, depth and replay that each user's channels may hold, and do.
 *
 * What is charged is what was promised, when something is made or resized; so nothing can be refused in the middle
 * of a stream. The list is one thread's; a charge is made and given back on any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct account {
	SLIST_ENTRY(account) entry;
	uid_t uid;
	atomic_uint_least64_t limit; /* bytes; 0: none */
	atomic_uint_least64_t used;
	gid_t *groups; /* of the user, as last seen: a limit may be theirs; for the list's thread */
	size_t count;
};

SLIST_HEAD(accounts, account);

/* The account of @uid, made where there is none; it stays until accounts_finish(). NULL: out of memory. */
struct account *accounts_of(struct accounts *list, uid_t uid);

/* Frees every account. Nothing may be charged to them any more. */
void accounts_finish(struct accounts *list);

/* What one holder has charged. Zero-valid. */
struct charge {
	struct account *account; /* NULL: nobody's, and nothing is counted */
	uint64_t bytes;
};

/*
 * Charges @bytes instead of what was charged before. Returns 0, or -EDQUOT with the charge as it was: the limit would
 * be passed, or it is more than the machine's memory, whatever the limit. To charge less always succeeds, also above a
 * limit that was lowered.
 */
int charge_set(struct charge *c, uint64_t bytes);

/* Gives all of it back. */
void charge_finish(struct charge *c);
