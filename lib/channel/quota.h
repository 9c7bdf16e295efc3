/* Quotas: what each user's account may hold, by rules for users and groups. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct quota_rule {
	bool group;
	id_t id;        /* of the user or the group */
	uint64_t bytes; /* 0: no limit */
};

struct quotas {
	uint64_t preset; /* of everybody whom no rule names; bytes, 0: no limit */
	struct quota_rule *rules;
	size_t count;
};

/*
 * The limit of @uid in bytes, 0: none. That is the user's own rule, else the largest of those of its @groups, else the
 * preset. Root and the daemon's own user have none, unless a rule is their own.
 */
uint64_t quota_limit(const struct quotas *q, uid_t uid, const gid_t *groups, size_t count);
