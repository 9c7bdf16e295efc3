#include "xattr.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "access.h"
#include "base.h"
#include "dir.h"
#include "inode.h"
#include "log.h"
#include "xattr-ports.h"
#include "xattr-settings.h"
#include "xattr-stats.h"
#include "tee.h"

#define PREFIX "spfs."

struct attribute {
	const char *name;
	/* Whether the node has it; NULL: always. */
	bool (*has)(const struct node *node);
	/* NULL: only set, and not listed. */
	void (*get)(fuse_req_t req, struct node *node, size_t size);
	/* NULL: read-only. @value is a string. */
	void (*set)(fuse_req_t req, struct node *node, const char *value);
	void (*remove)(fuse_req_t req, struct node *node);
};

void xattr_reply(fuse_req_t req, const char *value, size_t len, size_t size, size_t room)
{
	if (len > XATTR_SIZE_MAX)
		fuse_reply_err(req, E2BIG);
	else if (size == 0)
		fuse_reply_xattr(req, len + room < XATTR_SIZE_MAX ? len + room : XATTR_SIZE_MAX);
	else if (size < len)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value, len);
}

void xattr_refuse(fuse_req_t req, const struct node *node, const char *what, int err, const char *why)
{
	_cleanup_free_ char *path = node_path(node->kind == NODE_HANDLE && node->inode->origin ?
						      node->inode->origin : node);

	log_info("%s: %s: %s", path ? path : "?", what, why ? why : strerror(err));
	fuse_reply_err(req, err);
}

/* ---- spfs.tee ---- */

static bool has_tee(const struct node *node)
{
	return node_is_tap(node) && node->inode->origin;
}

static void get_tee(fuse_req_t req, struct node *node, size_t size)
{
	_cleanup_free_ char *path = node_path(node->inode->origin);

	if (path)
		xattr_reply(req, path, strlen(path), size, 0);
	else
		fuse_reply_err(req, ENOMEM);
}

static void set_tee(fuse_req_t req, struct node *node, const char *value)
{
	struct server *s = server_of(req);
	const struct node *place = node->kind == NODE_HANDLE ? node->inode->origin : node;
	_cleanup_rights_ struct rights rights = { 0 };
	struct node *dir = NULL;
	const char *name = NULL;
	int err;

	if (!place || !place->parent) {
		xattr_refuse(req, node, "spfs.tee", ENOENT, "the channel has no name any more");
		return;
	}
	err = -access_rights(req, &rights);
	if (err == 0)
		err = -access_walk(s, &rights, place->parent, value, &dir, &name);
	if (err == 0)
		dir_for_new(s, dir->id, name, &err);
	if (err)
		xattr_refuse(req, place, "spfs.tee", err == EXDEV ? EINVAL : err,
		       err == EXDEV ? "the tap would be outside the mount" :
		       err == EEXIST ? "a tap's name must be new" :
		       err == EACCES ? "no right to make a name there" : NULL);
	else
		tee_add(req, node, dir, name, false);
}

static void remove_tee(fuse_req_t req, struct node *node)
{
	_cleanup_rights_ struct rights rights = { 0 };

	if (access_rights(req, &rights) < 0 || access_may_delete(&rights, node) < 0) {
		xattr_refuse(req, node, "spfs.tee", EACCES, "no right to remove the tap's name");
		return;
	}
	dir_remove(server_of(req), node);
	fuse_reply_err(req, 0);
}

static const struct attribute attributes[] = {
	{ .name = "spfs.tee", .has = has_tee, .get = get_tee, .set = set_tee, .remove = remove_tee },
	{ .name = "spfs.taps", .get = xattr_stats_reply_taps },
	{ .name = "spfs.stats", .get = xattr_stats_reply },
	{ .name = "spfs.source", .set = xattr_ports_set_source },
	{ .name = "spfs.sink", .set = xattr_ports_set_sink },
	{ .name = "spfs.ports", .get = xattr_ports_get_ports },
	{ .name = "spfs.detach", .set = xattr_ports_set_detach },
};

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* The attribute of that name, or NULL with *err: unlike EOPNOTSUPP, ENODATA says that it could be. */
static const struct attribute *find(const char *name, const struct node *node, int *err)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (!strcmp(name, attributes[i].name))
			return node_is_channel(node) ? &attributes[i] : (*err = ENODATA, NULL);
	*err = strncmp(name, PREFIX, strlen(PREFIX)) ? EOPNOTSUPP : ENODATA;
	return NULL;
}

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct node *node = node_get(&server_of(req)->nodes, ino);
	int key = xattr_settings_find(name);
	const struct attribute *a;
	char path[PATH_MAX];
	int err = 0;

	if (!node) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	a = key < 0 ? find(name, node, &err) : NULL;
	if (!a && key < 0)
		xattr_refuse(req, node, name, EOPNOTSUPP, "no such attribute of a channel");
	else if (a && !a->set)
		xattr_refuse(req, node, name, EPERM, "read-only");
	else if (a && (flags & XATTR_REPLACE) && a->has && !a->has(node))
		xattr_refuse(req, node, name, ENODATA, NULL);
	else if (size == 0 || size >= sizeof(path) || memchr(value, '\0', size))
		xattr_refuse(req, node, name, EINVAL, "empty, too long, or with a zero byte");
	else {
		memcpy(path, value, size);
		path[size] = '\0';
		if (a)
			a->set(req, node, path);
		else
			xattr_settings_set(req, node, (enum setting_key)key, path);
	}
}

void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct node *node = node_get(&server_of(req)->nodes, ino);
	int key = xattr_settings_find(name);
	const struct attribute *a;
	int err = ENOENT;

	if (node && key >= 0) {
		xattr_settings_get(req, node, (enum setting_key)key, size);
		return;
	}
	a = node ? find(name, node, &err) : NULL;
	if (!a)
		fuse_reply_err(req, err);
	else if (!a->get || (a->has && !a->has(node)))
		fuse_reply_err(req, ENODATA);
	else
		a->get(req, node, size);
}

void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct node *node = node_get(&server_of(req)->nodes, ino);
	char list[256 + XATTR_SETTINGS_LIST_MAX];
	size_t len = 0;

	if (!node) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	for (size_t i = 0; node_is_channel(node) && i < ATTRIBUTES; i++) {
		size_t n = strlen(attributes[i].name) + 1;

		if (!attributes[i].get || (attributes[i].has && !attributes[i].has(node)))
			continue;
		memcpy(list + len, attributes[i].name, n);
		len += n;
	}
	len += xattr_settings_list(server_of(req), node, list + len);
	xattr_reply(req, list, len, size, 0);
}

void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct node *node = node_get(&server_of(req)->nodes, ino);
	const struct attribute *a;
	int err = ENOENT;

	if (!node) {
		fuse_reply_err(req, err);
		return;
	}
	if (xattr_settings_find(name) >= 0) {
		xattr_refuse(req, node, name, EPERM, "a setting can be set, not removed");
		return;
	}
	a = find(name, node, &err);
	if (!a)
		xattr_refuse(req, node, name, err, "no such attribute of a channel");
	else if (!a->remove)
		xattr_refuse(req, node, name, EPERM, "read-only");
	else if (a->has && !a->has(node))
		xattr_refuse(req, node, name, ENODATA, "this name is not a tap");
	else
		a->remove(req, node);
}
