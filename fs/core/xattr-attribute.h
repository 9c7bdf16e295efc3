/* An extended attribute, as its file in fs/control tells fs/operation of it. */
#pragma once

#include "context.h"

/* A table of them ends with one without a name; @i is the place in the table. */
struct xattr_attribute {
	const char *name; /* without "spfs." */
	/* Whether the node has it now; NULL: every name of a channel has. What a node has not is ENODATA. */
	bool (*has)(const struct context *ctx, const struct node *node, size_t i);
	/* Each answers the request. NULL: only set, and not listed. */
	void (*get)(fuse_req_t req, struct node *node, size_t i, size_t size);
	/* NULL: read-only. There is a zero byte behind the @size bytes of @value, and none in them unless @bytes says so. */
	void (*set)(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size);
	/* NULL: it stays, because of @stays, or because it is read-only. */
	void (*remove)(fuse_req_t req, struct node *node, size_t i);
	const char *stays;
	bool bytes;    /* set with any bytes, none or as many as the kernel allows */
	bool anywhere; /* may be set on what is no channel too: set() says by itself why that makes no sense */
};
