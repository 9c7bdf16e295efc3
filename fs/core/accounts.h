/* Who is charged for what is made, and up to which limit: struct account (account.h) by the quotas in force. */
#pragma once

#include <jansson.h>

#include "rights.h"
#include "context.h"

/* The account of who asks, with the limit that holds for them now. NULL: out of memory. */
struct account *accounts_of_caller(struct context *ctx, const struct rights *r);

/* The same of a user of whom no more is known; the groups are those that were seen last. */
struct account *accounts_of_user(struct context *ctx, uid_t uid);

/* The quotas have changed: every account gets its limit anew. What is held already stays. */
void accounts_limit(struct context *ctx);

/*
 * An array of {"uid", "used", "limit"}, in bytes, "limit" null where there is none: of @r's own account, for root and
 * the daemon's own user of all that were seen. Names are the asker's to find: that may take its time. NULL: out of
 * memory.
 */
json_t *accounts_json(struct context *ctx, const struct rights *r);
