/* Which kinds of ports are allowed for whom. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rights.h"

/* A kind that is for these users and groups alone, or, where that was said, for all. */
struct permit {
	char *kind; /* what it is called: own */
	bool all;
	id_t *users;
	size_t user_count;
	id_t *groups;
	size_t group_count;
};

/* Zero: everything is for everybody. */
struct permits {
	struct permit *all;
	size_t count;
};

/* NULL: everything is allowed. Root is a user like others here: who writes the rules can write them for root. */
bool permits_allow(const struct permits *p, const char *kind, const struct rights *r);

/* What was said of a kind; NULL: nothing, it is for everybody. */
const struct permit *permits_find(const struct permits *p, const char *kind);

/*
 * Limits a kind, so far to nobody, unless it is limited already. Returns what lets some in, until the next call; NULL:
 * out of memory.
 */
struct permit *permits_limit(struct permits *p, const char *kind);

/* Lets one more in. Return 0 or -ENOMEM. */
int permit_user(struct permit *p, uid_t uid);
int permit_group(struct permit *p, gid_t gid);

/* Whether both say the same, in the same order. */
bool permits_equal(const struct permits *a, const struct permits *b);

void permits_finish(struct permits *p);
