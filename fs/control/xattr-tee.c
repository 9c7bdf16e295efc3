/* spfs.tee, spfs.each and spfs.taps */
#include "xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "channels.h"
#include "folder.h"
#include "json.h"
#include "names.h"
#include "reply.h"
#include "tee.h"

struct xattr_teeing {
	struct tee_request tee;
	fuse_req_t req; /* NULL: answered, it was late */
};

enum { XATTR_TEE, XATTR_EACH, XATTR_TAPS };

static const char *const xattr_tee_full_names[] = { "spfs.tee", "spfs.each" };

static bool xattr_tee_has(const struct context *ctx, const struct node *node, size_t i)
{
	return node_is_tap(node) && node->inode->origin && (i == XATTR_TEE || node->each);
}

static void xattr_tee_get(fuse_req_t req, struct node *node, size_t i, size_t size)
{
	_cleanup_free_ char *path = node_path(node->inode->origin);

	if (path)
		reply_xattr(req, path, strlen(path), size, 0);
	else
		reply_error(req, -ENOMEM);
}

static void xattr_tee_done(struct tee_request *t)
{
	struct xattr_teeing *x = container_of(t, struct xattr_teeing, tee);

	if (x->req)
		reply_error(x->req, t->err);
	free(x);
}

static void xattr_tee_late(struct tee_request *t)
{
	reply_late(&container_of(t, struct xattr_teeing, tee)->req);
}

/* Returns 0, and xattr_tee_done() follows, or a negative errno. */
static int xattr_tee_start(fuse_req_t req, struct node *node, struct node *dir, const char *name, bool each,
			   const struct rights *rights)
{
	struct xattr_teeing *x = calloc(1, sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	x->tee = (struct tee_request){
		.ctx = context_of(req),
		.node = node,
		.dir = dir,
		.name = name,
		.each = each,
		.done = xattr_tee_done,
		.late = xattr_tee_late,
	};
	x->req = req;
	err = tee_start(&x->tee, rights);
	if (err < 0)
		free(x);
	return err;
}

static void xattr_tee_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	struct context *ctx = context_of(req);
	const struct node *place = node->kind == NODE_HANDLE ? node->inode->origin : node;
	_cleanup_rights_ struct rights rights = { 0 };
	struct node *dir = NULL;
	const char *name = NULL;
	int err;

	if (!place || !place->parent) {
		reply_refusal(req, node, xattr_tee_full_names[i], -ENOENT, "the channel has no name any more");
		return;
	}
	err = access_rights(req, &rights);
	if (err == 0)
		err = access_walk(ctx, &rights, place->parent, value, &dir, &name);
	if (err == 0)
		err = folder_for_new(ctx, dir->id, name, &dir);
	if (err < 0) {
		reply_refusal(req, place, xattr_tee_full_names[i], err == -EXDEV ? -EINVAL : err,
			      err == -EXDEV  ? "the tap would be outside the mount" :
			      err == -EEXIST ? "a tap's name must be new" :
			      err == -EACCES ? "no right to make a name there" :
					       NULL);
		return;
	}
	err = xattr_tee_start(req, node, dir, name, i == XATTR_EACH, &rights);
	if (err < 0)
		reply_error(req, err);
}

static void xattr_tee_remove(fuse_req_t req, struct node *node, size_t i)
{
	_cleanup_rights_ struct rights rights = { 0 };

	if (access_rights(req, &rights) < 0 || access_may_delete(&rights, node) < 0)
		reply_refusal(req, node, xattr_tee_full_names[i], -EACCES, "no right to remove the tap's name");
	else
		reply_error(req, names_remove(context_of(req), node));
}

/* No further than an attribute may be long. */
static void xattr_taps_get(fuse_req_t req, struct node *node, size_t i, size_t size)
{
	json_t *taps = json_array();
	const struct node *tap = NULL;
	size_t least = 0;

	while (least <= XATTR_SIZE_MAX && (tap = channels_name_after(node->inode, tap ? tap->id : 0))) {
		if (!node_is_tap(tap) || tap->pending)
			continue;
		least += node_path_length(tap) + strlen("\"\",");
		json_array_append_new(taps, json_of_path(tap));
	}
	reply_json(req, taps, size, 0);
}

const struct xattr_attribute xattr_tee[] = {
	[XATTR_TEE] = { .name = "tee",
			.has = xattr_tee_has,
			.get = xattr_tee_get,
			.set = xattr_tee_set,
			.remove = xattr_tee_remove },
	[XATTR_EACH] = { .name = "each",
			 .has = xattr_tee_has,
			 .get = xattr_tee_get,
			 .set = xattr_tee_set,
			 .remove = xattr_tee_remove },
	[XATTR_TAPS] = { .name = "taps", .get = xattr_taps_get },
	{ 0 },
};
