/* Who is charged for what is made, and up to which limit: struct account (account.h) by the quotas in force. */
#pragma once

#include <jansson.h>

#include "rights.h"
#include "context.h"

/* Bounds what all ordinary users together may hold. */
void accounts_begin(struct context *ctx);

/* The account of who asks, with the limits that hold for them now. NULL: out of memory. */
struct account *accounts_of_caller(struct context *ctx, const struct rights *r);

/* The same of a request's caller; their groups are asked for once, if a limit may be theirs. */
struct account *accounts_of_request(struct context *ctx, fuse_req_t req);

/* Whether who is to be charged has to wait for that, as for callers_wait(). */
bool accounts_wait(fuse_req_t req);

/* The same of a user of whom no more is known; the groups are those that were seen last. */
struct account *accounts_of_user(struct context *ctx, uid_t uid);

/* The quotas have changed: every account gets its limits anew. What is held already stays. */
void accounts_limit(struct context *ctx);

/* How many nodes the caller may still make, perhaps. */
uint64_t accounts_nodes_left(struct context *ctx, fuse_req_t req);

/* Charges the node to the caller, for as long as it is there. Returns 0, -ENOMEM, or -EDQUOT, logged with @name. */
int accounts_charge_node(struct context *ctx, fuse_req_t req, struct node *node, const char *name);

/* Says in the log that @name is not made, for the user may hold no more. */
void accounts_log_refusal(const struct account *a, enum account_resource of, const char *name);

/* What an account holds and may hold; it can be told on any thread. */
struct account_report {
	uid_t uid;
	uint64_t used[ACCOUNT_RESOURCES], limit[ACCOUNT_RESOURCES];
};

/* Those that @r may know of: their own, for root and the daemon's own user all. *all is the caller's. Returns 0 or -ENOMEM. */
int accounts_report(struct context *ctx, const struct rights *r, struct account_report **all, size_t *count);

/*
 * {"uid", "used", "limit", "nodes", "nodes_limit", "descriptors", "descriptors_limit"}: bytes, nodes and descriptors; a
 * limit is null where there is none. Names are the asker's to find: that may take its time. NULL: out of memory.
 */
json_t *account_report_json(const struct account_report *report);

/* An array of these. NULL: out of memory. */
json_t *accounts_json(struct context *ctx, const struct rights *r);
