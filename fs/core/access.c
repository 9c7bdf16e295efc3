#include "access.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "callers.h"
#include "gids.h"
#include "rights.h"

/* What callers_wait() has had read, or on the spot. */
static int access_groups(const struct context *ctx, struct rights *r)
{
	const struct caller_groups *known = &ctx->callers.groups;
	const struct rights said = { .groups = known->groups, .count = known->count };
	struct rights copy;
	int err;

	if (!known->known)
		return rights_read_groups(r->pid, &r->groups, &r->count);
	err = known->err < 0 ? known->err : rights_copy(&copy, &said);
	if (err == 0) {
		r->groups = copy.groups;
		r->count = copy.count;
	}
	return err;
}

int access_rights(fuse_req_t req, struct rights *r)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	*r = (struct rights){ .uid = ctx->uid, .gid = ctx->gid, .pid = ctx->pid };
	/* The number stays its own: the kernel keeps who asks until there is an answer, also where it was killed. */
	if (r->uid == 0) {
		_cleanup_fd_ int process = rights_open_process(r->pid);

		rights_see_capabilities(r, process);
	}
	return access_groups(context_of(req), r);
}

static bool access_in_group(const struct rights *r, gid_t gid)
{
	return r->gid == gid || gids_have(r->groups, r->count, gid);
}

bool access_asks_groups(uid_t uid, const struct inode *inode, int mask)
{
	return uid != inode->uid && !(inode->mode >> 3 & (unsigned)mask) != !(inode->mode & (unsigned)mask);
}

int access_check(const struct rights *r, const struct inode *inode, int mask)
{
	unsigned bits = inode->mode & 7;

	if (rights_have(r, CAP_DAC_OVERRIDE))
		return 0;
	if (rights_have(r, CAP_DAC_READ_SEARCH) && !(mask & (S_ISDIR(inode->mode) ? W_OK : W_OK | X_OK)))
		return 0;
	if (r->uid == inode->uid)
		bits = inode->mode >> 6 & 7;
	else if (access_in_group(r, inode->gid))
		bits = inode->mode >> 3 & 7;
	return ((unsigned)mask & ~bits) ? -EACCES : 0;
}

int access_may_delete(const struct rights *r, const struct node *node)
{
	const struct node *dir = node->parent;

	if (!dir || access_check(r, dir->inode, W_OK | X_OK) < 0)
		return -EACCES;
	if ((dir->inode->mode & S_ISVTX) && !rights_have(r, CAP_FOWNER) && r->uid != dir->inode->uid &&
	    r->uid != node->inode->uid)
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
static const char *access_below_mount(const struct context *ctx, const char *path)
{
	size_t n = strlen(ctx->mountpoint);

	if (strncmp(path, ctx->mountpoint, n) || path[n] != '/')
		return NULL;
	return path + n + 1;
}

/* Follows @path up to its last part, which *name becomes, and never above @top. Returns 0 or a negative errno. */
static int access_walk_to(struct context *ctx, const struct rights *r, const struct node *top, struct node *dir,
			  const char *path, struct node **out, const char **name)
{
	const char *slash;

	if (*path == '/') {
		path = access_below_mount(ctx, path);
		if (!path)
			return -EXDEV;
		dir = ctx->nodes.root;
	}
	for (; (slash = strchr(path, '/')); path = slash + 1) {
		char part[NAME_MAX + 1];
		size_t n = (size_t)(slash - path);

		if (n == 0 || (n == 1 && *path == '.'))
			continue;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		if (access_check(r, dir->inode, X_OK) < 0)
			return -EACCES;
		memcpy(part, path, n);
		part[n] = '\0';
		if (!strcmp(part, "..")) {
			if (dir == top || !dir->parent)
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
	*out = dir;
	*name = path;
	return 0;
}

int access_walk(struct context *ctx, const struct rights *r, struct node *from, const char *path, struct node **dir,
		const char **name)
{
	int err = access_walk_to(ctx, r, ctx->nodes.root, from, path, dir, name);

	return err < 0 ? err : access_check(r, (*dir)->inode, W_OK | X_OK);
}

int access_channel(struct context *ctx, const struct rights *r, struct node *top, const char *path, struct node **node)
{
	struct node *dir;
	const char *name;
	int err = access_walk_to(ctx, r, top, top, path + strspn(path, "/"), &dir, &name);

	if (err == 0)
		err = access_check(r, dir->inode, X_OK);
	if (err < 0)
		return err;
	*node = node_find(dir, name);
	if (!*node || (*node)->pending)
		return -ENOENT;
	return (*node)->kind == NODE_FIFO ? 0 : -EISDIR;
}
