/* The FUSE operations, and what they keep. */
#pragma once

#include "context.h"

struct xattr_attribute;

/* What the operations hand upwards. */
struct operation_hooks {
	/* Answers a look-up of @file, the own node of a file in .spfs. */
	void (*file_lookup)(fuse_req_t req, struct node *file);
	/* The tables of attributes, in the order in which they are listed; NULL ends them. */
	const struct xattr_attribute *const *xattrs;
};

extern const struct fuse_lowlevel_ops operations_table;

/* Makes what they keep, in ctx->operations. Returns 0 or -ENOMEM; operations_destroy() is owed either way. */
int operations_create(struct context *ctx, const struct operation_hooks *hooks);

/* The end: what is parked is answered, and no handle has a part in its channel any more. */
void operations_leave(struct context *ctx);

/* When no other thread works any more, and before the node table goes. */
void operations_destroy(struct context *ctx);
