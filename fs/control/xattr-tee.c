/* spfs.tee, spfs.each and spfs.taps */
#include "xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "channels.h"
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

/* The last words of @value, "KEY=VALUE", are settings, and what is left is the name. Returns 0 or what tee_set() does. */
static int xattr_tee_take_settings(struct tee_request *t, char *value)
{
	char *space, *equals;
	int err = 0;

	while (err == 0 && (space = strrchr(value, ' ')) && (equals = strchr(space, '='))) {
		*space = *equals = '\0';
		err = tee_set(t, space + 1, equals + 1);
		while (space > value && space[-1] == ' ')
			*--space = '\0';
	}
	return err;
}

/* Returns 0, and xattr_tee_done() follows, or a negative errno. */
static int xattr_tee_start(struct xattr_teeing *x, const char *value)
{
	_cleanup_free_ char *text = strdup(value);
	_cleanup_rights_ struct rights rights = { 0 };
	int err = text ? access_rights(x->req, &rights) : -ENOMEM;

	if (err == 0)
		err = xattr_tee_take_settings(&x->tee, text);
	if (err == 0)
		err = tee_place(&x->tee, &rights, text);
	return err == 0 ? tee_start(&x->tee, &rights) : err;
}

static void xattr_tee_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	struct xattr_teeing *x = calloc(1, sizeof(*x));
	int err;

	if (!x) {
		reply_error(req, -ENOMEM);
		return;
	}
	x->tee = (struct tee_request){
		.ctx = context_of(req),
		.node = node,
		.each = i == XATTR_EACH,
		.done = xattr_tee_done,
		.late = xattr_tee_late,
	};
	x->req = req;
	err = xattr_tee_start(x, value);
	if (err < 0) {
		reply_refusal(req, node, xattr_tee_full_names[i], err, *x->tee.why ? x->tee.why : NULL);
		free(x);
	}
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
