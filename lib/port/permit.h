/* Which kinds of ports are allowed for whom. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rights.h"
#include "uri.h"

/* Zero: for everybody. */
struct permit {
	bool limited; /* to the users and groups below */
	id_t *users;
	size_t user_count;
	id_t *groups;
	size_t group_count;
};

struct permits {
	struct permit of[URI_KINDS];
};

/* NULL: everything is allowed. Root is a user like others here: who writes the rules can write them for root. */
bool permits_allow(const struct permits *p, enum uri_kind kind, const struct rights *r);

/* Limits it, so far to nobody; or lets one more in. Return 0 or -ENOMEM. */
void permit_limit(struct permit *p);
int permit_user(struct permit *p, uid_t uid);
int permit_group(struct permit *p, gid_t gid);

void permits_finish(struct permits *p);
