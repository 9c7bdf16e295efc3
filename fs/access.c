#include "access.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

static bool in_group(fuse_req_t req, gid_t gid)
{
	_cleanup_free_ gid_t *groups = NULL;
	int n;

	if (fuse_req_ctx(req)->gid == gid)
		return true;
	n = fuse_req_getgroups(req, 0, NULL);
	if (n <= 0)
		return false;
	groups = calloc((size_t)n, sizeof(*groups));
	if (!groups)
		return false;
	n = fuse_req_getgroups(req, n, groups);
	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

int access_check(fuse_req_t req, const struct node *node, int mask)
{
	const struct inode *inode = node->inode;
	uid_t uid = fuse_req_ctx(req)->uid;
	unsigned bits = inode->mode & 7;

	if (uid == 0)
		return 0;
	if (uid == inode->uid)
		bits = inode->mode >> 6 & 7;
	else if (in_group(req, inode->gid))
		bits = inode->mode >> 3 & 7;
	return ((unsigned)mask & ~bits) ? -EACCES : 0;
}

int access_may_delete(fuse_req_t req, const struct node *node)
{
	const struct node *dir = node->parent;
	uid_t uid = fuse_req_ctx(req)->uid;

	if (!dir || access_check(req, dir, W_OK | X_OK) < 0)
		return -EACCES;
	if ((dir->inode->mode & S_ISVTX) && uid != 0 && uid != dir->inode->uid && uid != node->inode->uid)
		return -EACCES;
	return 0;
}

struct node *access_find(struct node *from, const char *path)
{
	while (from && from->kind == NODE_DIR) {
		size_t n = strcspn(path, "/");
		char part[NAME_MAX + 1];

		if (n > NAME_MAX)
			return NULL;
		memcpy(part, path, n);
		part[n] = '\0';
		from = node_find(from, part);
		if (!path[n])
			return from;
		path += n + 1;
	}
	return NULL;
}

/* The part of an absolute path below the mount point, or NULL. */
static const char *below_mount(const struct server *s, const char *path)
{
	size_t n = strlen(s->mountpoint);

	if (strncmp(path, s->mountpoint, n) || path[n] != '/')
		return NULL;
	return path + n + 1;
}

int access_walk(fuse_req_t req, struct node *from, const char *path, struct node **out, const char **name)
{
	struct server *s = server_of(req);
	struct node *dir = from;
	const char *slash;

	if (*path == '/') {
		path = below_mount(s, path);
		if (!path)
			return -EXDEV;
		dir = s->nodes.root;
	}
	for (; (slash = strchr(path, '/')); path = slash + 1) {
		char part[NAME_MAX + 1];
		size_t n = (size_t)(slash - path);

		if (n == 0 || (n == 1 && *path == '.'))
			continue;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		if (access_check(req, dir, X_OK) < 0)
			return -EACCES;
		memcpy(part, path, n);
		part[n] = '\0';
		if (!strcmp(part, "..")) {
			if (!dir->parent)
				return -EXDEV;
			dir = dir->parent;
			continue;
		}
		dir = node_find(dir, part);
		if (!dir)
			return -ENOENT;
		if (dir->kind != NODE_DIR)
			return -ENOTDIR;
	}
	if (!*path || !strcmp(path, ".") || !strcmp(path, ".."))
		return -EINVAL;
	if (strlen(path) > NAME_MAX)
		return -ENAMETOOLONG;
	if (access_check(req, dir, W_OK | X_OK) < 0)
		return -EACCES;
	*out = dir;
	*name = path;
	return 0;
}
