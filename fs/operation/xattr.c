#include "xattr.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base.h"
#include "callers.h"
#include "operation-parts.h"
#include "reply.h"
#include "xattr-attribute.h"

#define PREFIX "spfs."

/* Room for all names. */
#define LIST_MAX 1024

struct xattr {
	const struct xattr_attribute *of;
	size_t i;
};

/* The attribute of that name. Returns 0, or -EOPNOTSUPP, -ENODATA: it could be one of ours. */
static int xattr_find(const struct context *ctx, const char *name, struct xattr *x)
{
	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return -EOPNOTSUPP;
	for (const struct xattr_attribute *const *table = ctx->operations->hooks.xattrs; *table; table++)
		for (size_t i = 0; (*table)[i].name; i++)
			if (!strcmp((*table)[i].name, name + strlen(PREFIX))) {
				*x = (struct xattr){ &(*table)[i], i };
				return 0;
			}
	return -ENODATA;
}

static bool xattr_has(const struct context *ctx, const struct node *node, const struct xattr *x)
{
	return x->of->has ? x->of->has(ctx, node, x->i) : node_is_channel(node);
}

/* A broadcast's name stands for what a look-up of it was answered with. */
static struct node *xattr_node(struct context *ctx, fuse_ino_t ino)
{
	struct node *node = node_get(&ctx->nodes, ino);

	return node && node->visited ? node->visited : node;
}

/* With a zero byte behind them. NULL: out of memory. */
static char *xattr_copy(const char *value, size_t size)
{
	char *text = malloc(size + 1);

	if (text) {
		memcpy(text, value, size);
		text[size] = '\0';
	}
	return text;
}

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct context *ctx = context_of(req);
	struct node *node = xattr_node(ctx, ino);
	_cleanup_free_ char *text = NULL;
	struct xattr x;

	if (!node)
		reply_error(req, -ENOENT);
	else if (xattr_find(ctx, name, &x) < 0 || (!x.of->anywhere && !node_is_channel(node)))
		reply_refusal(req, node, name, -EOPNOTSUPP, "no such attribute of a channel");
	else if (!x.of->set)
		reply_refusal(req, node, name, -EPERM, "read-only");
	else if ((flags & XATTR_REPLACE) && !xattr_has(ctx, node, &x))
		reply_refusal(req, node, name, -ENODATA, NULL);
	else if (!x.of->bytes && (size == 0 || (size >= PATH_MAX || memchr(value, '\0', size))))
		reply_refusal(req, node, name, -EINVAL, "empty, too long, or with a zero byte");
	else if (!(text = xattr_copy(value, size)))
		reply_error(req, -ENOMEM);
	else if (!callers_wait(req))
		x.of->set(req, node, x.i, text, size);
}

void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct context *ctx = context_of(req);
	struct node *node = xattr_node(ctx, ino);
	struct xattr x;
	int err = node ? xattr_find(ctx, name, &x) : -ENOENT;

	if (err == 0 && (!x.of->get || !xattr_has(ctx, node, &x)))
		err = -ENODATA;
	if (err < 0)
		reply_error(req, err);
	else
		x.of->get(req, node, x.i, size);
}

void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct context *ctx = context_of(req);
	struct node *node = xattr_node(ctx, ino);
	char list[LIST_MAX];
	size_t len = 0;

	if (!node) {
		reply_error(req, -ENOENT);
		return;
	}
	for (const struct xattr_attribute *const *table = ctx->operations->hooks.xattrs; *table; table++)
		for (size_t i = 0; (*table)[i].name; i++) {
			const struct xattr x = { &(*table)[i], i };
			size_t n = strlen(PREFIX) + strlen(x.of->name) + 1;

			if (!x.of->get || !xattr_has(ctx, node, &x) || len + n > sizeof(list))
				continue;
			stpcpy(stpcpy(list + len, PREFIX), x.of->name);
			len += n;
		}
	reply_xattr(req, list, len, size, 0);
}

void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct context *ctx = context_of(req);
	struct node *node = xattr_node(ctx, ino);
	struct xattr x;
	int err = node ? xattr_find(ctx, name, &x) : -ENOENT;

	if (!node)
		reply_error(req, err);
	else if (err < 0)
		reply_refusal(req, node, name, err, "no such attribute of a channel");
	else if (!x.of->remove)
		reply_refusal(req, node, name, -EPERM, x.of->stays ? x.of->stays : "read-only");
	else if (!xattr_has(ctx, node, &x))
		reply_refusal(req, node, name, -ENODATA, "this name is not a tap");
	else if (!callers_wait(req))
		x.of->remove(req, node, x.i);
}
