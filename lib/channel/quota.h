/* Quotas: what each user's account may hold of each resource, by rules for users and groups. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "account.h"

struct quota_rule {
	bool group;
	id_t id;        /* of the user or the group */
	uint64_t limit; /* 0: none */
};

struct quota {
	uint64_t preset; /* of everybody whom no rule names; 0: no limit */
	struct quota_rule *rules;
	size_t count;
};

struct quotas {
	struct quota of[ACCOUNT_RESOURCES];
};

/* Descriptors that the daemon may have open: the hard limit, which it makes its own. */
uint64_t quota_descriptors_max(void);

/* The preset for descriptors: a quarter of them, so that no one user can take them all. */
uint64_t quota_descriptors_preset(void);

/* What all ordinary users together may hold of a resource, for the rest is kept for root; 0: no limit. */
uint64_t quota_shared(enum account_resource of);

/*
 * The limit of @uid, 0: none. That is the user's own rule, else the largest of those of its @groups (ascending), else the
 * preset. Root and the daemon's own user have none, unless a rule is their own.
 */
uint64_t quota_limit(const struct quota *q, uid_t uid, const gid_t *groups, size_t count);
