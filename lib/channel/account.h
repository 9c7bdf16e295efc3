/*
 * Accounts: what each user's channels may hold, and do. Bytes of ring, depth and replay, and of requests that wait for
 * those; nodes, which are names, folders and files that are open; descriptors of the daemon.
 *
 * What is charged is what was promised, when something is made or resized; so nothing can be refused in the middle
 * of a stream but a request that would wait in the daemon's memory. The list is one thread's; a charge is made and given
 * back on any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

enum account_resource { ACCOUNT_BYTES, ACCOUNT_NODES, ACCOUNT_DESCRIPTORS };
#define ACCOUNT_RESOURCES (ACCOUNT_DESCRIPTORS + 1)

/* "bytes", "nodes", "descriptors" */
const char *account_resource_name(enum account_resource of);

struct account_count {
	atomic_uint_least64_t limit; /* 0: none */
	atomic_uint_least64_t used;
};

struct account {
	UT_hash_handle by_uid;
	uid_t uid;
	struct account_count of[ACCOUNT_RESOURCES];
	struct account_count *shared; /* those of all ordinary users together; NULL: it is none of theirs */
	gid_t *groups; /* of the user, as last seen, ascending: a limit may be theirs; for the list's thread */
	size_t count;
};

/* Zero-valid: no user, and no limit. */
struct accounts {
	struct account *by_uid;
	struct account_count shared[ACCOUNT_RESOURCES]; /* by all but root and the daemon's own user */
};

/* The account of @uid, made where there is none; it stays until accounts_finish(). NULL: out of memory. */
struct account *accounts_of(struct accounts *list, uid_t uid);

/* Frees every account. Nothing may be charged to them any more. */
void accounts_finish(struct accounts *list);

/*
 * Whether it has more of something than it may have now, for a limit was lowered: nothing more is to be given to it, also of
 * what was charged to it before. On any thread.
 */
bool account_is_over(const struct account *a);

/* What one holder has charged. Zero-valid: of bytes. */
struct charge {
	struct account *account; /* NULL: nobody's, and nothing is counted */
	enum account_resource of;
	uint64_t amount;
};

/*
 * Charges @amount instead of what was charged before. Returns 0, or -EDQUOT with the charge as it was: a limit would
 * be passed, or it is more bytes than the machine's memory, whatever the limit. To charge less always succeeds, also
 * above a limit that was lowered.
 */
int charge_set(struct charge *c, uint64_t amount);

/* The same, but no less than before. */
int charge_raise(struct charge *c, uint64_t amount);

/* Charges it whatever the limit: for what is bounded otherwise, and must not be refused. */
void charge_note(struct charge *c, uint64_t amount);

/* Gives all of it back. */
void charge_finish(struct charge *c);
