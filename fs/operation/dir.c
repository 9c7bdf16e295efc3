/*
 * Names are answered with an entry timeout of 0: they can change behind the kernel's back (a
 * created name is a regular file for its handle and a FIFO for everybody else; a tap may be made
 * and removed by xattr). Folders change only through the kernel, so it may keep them.
 */
#include "dir.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "base.h"
#include "inode.h"
#include "log.h"
#include "packets.h"
#include "tee.h"

#define FOLDER_TIMEOUT 3600.0

const char admin_name[] = ".spfs";
const char numbers_name[] = "fifos";
const char control_name[] = "control";

bool dir_is_admin(const struct server *s, const struct node *node)
{
	return node == s->admin || node == s->numbers || node == s->socket || node->kind == NODE_FILE;
}

void dir_entry(struct node *node, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = node->id;
	node_stat(node, &e->attr);
	e->entry_timeout = node->kind == NODE_DIR ? FOLDER_TIMEOUT : 0;
	e->attr_timeout = node->kind == NODE_FILE ? FOLDER_TIMEOUT : 0; /* it never changes */
	node->lookups++;
}

void dir_reply_entry(fuse_req_t req, struct node *node)
{
	struct fuse_entry_param e;

	dir_entry(node, &e);
	/* The kernel did not take it (the caller was killed): then it will not forget it either. */
	if (fuse_reply_entry(req, &e) == -ENOENT) {
		node->lookups--;
		node_release(&server_of(req)->nodes, node);
	}
}

static struct node *find(struct server *s, struct node *dir, const char *name)
{
	struct node *node;
	char *end;

	if (dir == s->nodes.root && !strcmp(name, admin_name))
		return s->admin;
	if (dir == s->admin && !strcmp(name, control_name))
		return s->socket->pending ? NULL : s->socket;
	if (dir == s->admin && !strcmp(name, numbers_name))
		return s->numbers;
	if (dir == s->numbers) {
		uint64_t id = strtoull(name, &end, 16);

		node = *end ? NULL : node_get(&s->nodes, id);
		return node && node->kind == NODE_FIFO ? node : NULL;
	}
	node = node_find(dir, name);
	return node && !node->pending ? node : NULL;
}

void dir_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct server *s = server_of(req);
	struct node *dir = node_get(&s->nodes, parent);
	struct node *node;

	if (!dir || dir->kind != NODE_DIR) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	if (strlen(name) > NAME_MAX) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	node = find(s, dir, name);
	if (node && node->kind == NODE_FILE) {
		files_lookup(req, node);
		return;
	}
	if (!node) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	if (dir != s->numbers)
		node = packets_shown(s, node);
	if (node)
		dir_reply_entry(req, node);
	else
		fuse_reply_err(req, ENOMEM);
}

static void forget(struct server *s, uint64_t ino, uint64_t count)
{
	struct node *node = node_get(&s->nodes, ino);

	if (!node)
		return;
	node->lookups -= count < node->lookups ? count : node->lookups;
	node_release(&s->nodes, node);
}

void dir_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	forget(server_of(req), ino, count);
	fuse_reply_none(req);
}

void dir_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(server_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

/* A folder that has not been removed. */
static bool is_folder(const struct server *s, const struct node *dir)
{
	return dir && dir->kind == NODE_DIR && (dir->parent || dir == s->nodes.root || dir_is_admin(s, dir));
}

struct node *dir_for_new(struct server *s, fuse_ino_t parent, const char *name, int *err)
{
	struct node *dir = node_get(&s->nodes, parent);

	if (s->left)
		*err = ENOTCONN;
	else if (!is_folder(s, dir))
		*err = ENOENT;
	else if (dir_is_admin(s, dir))
		*err = EPERM;
	else if (strlen(name) > NAME_MAX)
		*err = ENAMETOOLONG;
	else if (node_find(dir, name) || (dir == s->nodes.root && !strcmp(name, admin_name)))
		*err = EEXIST;
	else
		return dir;
	return NULL;
}

static void make(fuse_req_t req, fuse_ino_t parent, const char *name, enum node_kind kind, mode_t mode)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct server *s = server_of(req);
	struct node *node, *shown, *dir;
	gid_t gid = ctx->gid;
	int err = 0;

	dir = dir_for_new(s, parent, name, &err);
	if (!dir) {
		fuse_reply_err(req, err);
		return;
	}
	if (dir->inode->mode & S_ISGID) {
		gid = dir->inode->gid;
		if (kind == NODE_DIR)
			mode |= S_ISGID;
	}
	node = node_create(&s->nodes, kind, NULL, mode, ctx->uid, gid);
	if (!node) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (kind == NODE_FIFO) {
		node->inode->origin = node;
		node->inode->packets = s->defaults.value[SETTING_PACKETS];
	}
	/* The answer has to be a FIFO, but the one that holds messages is for nobody. */
	shown = node->inode->packets ? packets_stand_in(s, node->inode, NODE_FIFO) : node;
	err = shown ? node_attach(&s->nodes, node, dir, name) : -ENOMEM;
	if (err == 0 && kind == NODE_FIFO && s->defaults.value[SETTING_EOF] == EOF_NEVER)
		err = tee_begin(s, node, &s->defaults);
	if (err < 0) {
		if (node->parent) {
			node_detach(&s->nodes, node);
			tee_channel_put(s, node->inode);
		}
		if (shown && shown != node)
			node_release(&s->nodes, shown);
		node_release(&s->nodes, node);
		fuse_reply_err(req, -err);
		return;
	}
	dir_reply_entry(req, shown);
}

/* Whether it is the daemon that binds its control socket: a thread of its own asks. */
static bool is_control(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct server *s = server_of(req);

	return S_ISSOCK(mode) && parent == s->admin->id && !strcmp(name, control_name) && s->socket->pending &&
	       tgkill(getpid(), fuse_req_ctx(req)->pid, 0) == 0;
}

void dir_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	if (is_control(req, parent, name, mode)) {
		struct node *node = server_of(req)->socket;

		node->pending = false;
		dir_reply_entry(req, node);
		return;
	}
	if (!S_ISFIFO(mode) && !S_ISREG(mode)) {
		log_info("mknod %s: only channels live here, no sockets or devices", name);
		fuse_reply_err(req, EPERM);
		return;
	}
	make(req, parent, name, NODE_FIFO, S_IFIFO | (mode & 07777));
}

void dir_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	make(req, parent, name, NODE_DIR, S_IFDIR | (mode & 07777));
}

void dir_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	log_info("symlink %s: only channels live here, no symbolic links", name);
	fuse_reply_err(req, EPERM);
}

void dir_remove(struct server *s, struct node *node)
{
	bool tap = node_is_tap(node);

	node->pins++;
	node_detach(&s->nodes, node);
	if (node->kind == NODE_FIFO)
		tee_name_gone(s, node, tap);
	node->pins--;
	node_release(&s->nodes, node);
}

static struct node *victim(fuse_req_t req, fuse_ino_t parent, const char *name, bool folder)
{
	struct server *s = server_of(req);
	struct node *dir = node_get(&s->nodes, parent);
	struct node *node = dir && dir->kind == NODE_DIR ? find(s, dir, name) : NULL;
	int err = 0;

	if (!node)
		err = ENOENT;
	else if (dir_is_admin(s, node) || dir_is_admin(s, dir))
		err = EPERM;
	else if (folder && node->kind != NODE_DIR)
		err = ENOTDIR;
	else if (!folder && node->kind == NODE_DIR)
		err = EISDIR;
	else if (node->kind == NODE_DIR && !TAILQ_EMPTY(&node->list))
		err = ENOTEMPTY;
	else
		return node;
	fuse_reply_err(req, err);
	return NULL;
}

void dir_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct node *node = victim(req, parent, name, false);

	if (!node)
		return;
	dir_remove(server_of(req), node);
	fuse_reply_err(req, 0);
}

void dir_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct node *node = victim(req, parent, name, true);

	if (!node)
		return;
	dir_remove(server_of(req), node);
	fuse_reply_err(req, 0);
}

/* 0, or why @node may not take the place of @old. */
static int check_replace(const struct node *node, const struct node *old)
{
	if (node->kind == NODE_DIR && old->kind != NODE_DIR)
		return ENOTDIR;
	if (node->kind != NODE_DIR && old->kind == NODE_DIR)
		return EISDIR;
	return old->kind == NODE_DIR && !TAILQ_EMPTY(&old->list) ? ENOTEMPTY : 0;
}

void dir_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
		const char *newname, unsigned int flags)
{
	struct server *s = server_of(req);
	struct node *from = node_get(&s->nodes, parent);
	struct node *to = node_get(&s->nodes, newparent);
	struct node *node = from ? find(s, from, name) : NULL;
	struct node *old = to ? find(s, to, newname) : NULL;
	bool tap;
	int err = 0;

	if (!node || !is_folder(s, to))
		err = ENOENT;
	else if (flags & ~(unsigned)RENAME_NOREPLACE)
		err = EINVAL;
	else if (dir_is_admin(s, node) || dir_is_admin(s, to) || dir_is_admin(s, from) || (old && dir_is_admin(s, old)))
		err = EPERM;
	else if (strlen(newname) > NAME_MAX)
		err = ENAMETOOLONG;
	else if (old ? flags & RENAME_NOREPLACE : node_find(to, newname) != NULL) /* a tap on its way is not found */
		err = EEXIST;
	else if (old && old != node)
		err = check_replace(node, old);
	if (err || old == node) {
		fuse_reply_err(req, err);
		return;
	}
	if (old)
		dir_remove(s, old);
	tap = node_is_tap(node);
	node->pins++;
	node_detach(&s->nodes, node);
	err = node_attach(&s->nodes, node, to, newname);
	node->pins--;
	if (err < 0) { /* out of memory: the name is gone, like an unlink */
		log_err("rename %s: %s", name, strerror(-err));
		if (node->kind == NODE_FIFO)
			tee_name_gone(s, node, tap);
		node_release(&s->nodes, node);
	}
	fuse_reply_err(req, -err);
}

/* ---- listing ---- */

void dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct node *dir = node_get(&s->nodes, ino);
	struct dir_cursor *cursor = dir && dir->kind == NODE_DIR ? calloc(1, sizeof(*cursor)) : NULL;

	if (!cursor) {
		fuse_reply_err(req, dir ? ENOMEM : ENOENT);
		return;
	}
	cursor->dir = dir;
	cursor->next = TAILQ_FIRST(&dir->list);
	cursor->offset = 2;
	LIST_INSERT_HEAD(&dir->cursors, cursor, entry);
	dir->pins++;
	fi->fh = (uintptr_t)cursor;
	fuse_reply_open(req, fi);
}

void dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir_cursor *cursor = (void *)(uintptr_t)fi->fh;
	struct node *dir = cursor->dir;

	LIST_REMOVE(cursor, entry);
	free(cursor);
	dir->pins--;
	node_release(&server_of(req)->nodes, dir);
	fuse_reply_err(req, 0);
}

/* Offsets: 1 after ".", 2 after "..", else 2 + the cookie of the last name given. */
static void seek(struct dir_cursor *cursor, uint64_t off)
{
	struct node *node;

	if (off == cursor->offset)
		return;
	TAILQ_FOREACH(node, &cursor->dir->list, entry)
		if (off <= 2 || node->cookie > off - 2)
			break;
	cursor->next = node;
	cursor->offset = off;
}

static bool add(fuse_req_t req, char *buf, size_t size, size_t *used, const char *name, uint64_t ino,
		mode_t mode, uint64_t off)
{
	struct stat st = { .st_ino = ino, .st_mode = mode };
	size_t n = fuse_add_direntry(req, buf + *used, size - *used, name, &st, (off_t)off);

	if (n > size - *used)
		return false;
	*used += n;
	return true;
}

void dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct dir_cursor *cursor = (void *)(uintptr_t)fi->fh;
	struct node *dir = cursor->dir;
	uint64_t up = dir->parent ? dir->parent->inode->ino : dir->inode->ino;
	_cleanup_free_ char *buf = malloc(size);
	uint64_t off = (uint64_t)offset;
	size_t used = 0;

	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (off == 0 && add(req, buf, size, &used, ".", dir->inode->ino, S_IFDIR, 1))
		off = 1;
	if (off == 1 && add(req, buf, size, &used, "..", up, S_IFDIR, 2))
		off = 2;
	if (off >= 2) {
		seek(cursor, off);
		for (struct node *n = cursor->next; n; n = cursor->next) {
			if (!n->pending && !add(req, buf, size, &used, n->name, n->inode->ino,
						packets_name(n) ? S_IFREG : n->inode->mode,
						n->cookie + 2))
				break;
			cursor->offset = n->cookie + 2;
			cursor->next = TAILQ_NEXT(n, entry);
		}
	}
	fuse_reply_buf(req, buf, used);
}
