#include "dir.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "packets.h"
#include "reply.h"

void dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct context *ctx = context_of(req);
	struct node *dir = node_get(&ctx->nodes, ino);
	struct dir_cursor *cursor = dir && dir->kind == NODE_DIR ? calloc(1, sizeof(*cursor)) : NULL;

	if (!cursor) {
		reply_error(req, dir ? -ENOMEM : -ENOENT);
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
	node_release(&context_of(req)->nodes, dir);
	reply_error(req, 0);
}

/* Offsets: 1 after ".", 2 after "..", else 2 + the cookie of the last name given. */
static void dir_seek(struct dir_cursor *cursor, uint64_t off)
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

static bool dir_add(fuse_req_t req, char *buf, size_t size, size_t *used, const char *name, uint64_t ino, mode_t mode,
		    uint64_t off)
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
		reply_error(req, -ENOMEM);
		return;
	}
	if (off == 0 && dir_add(req, buf, size, &used, ".", dir->inode->ino, S_IFDIR, 1))
		off = 1;
	if (off == 1 && dir_add(req, buf, size, &used, "..", up, S_IFDIR, 2))
		off = 2;
	if (off >= 2) {
		dir_seek(cursor, off);
		for (struct node *n = cursor->next; n; n = cursor->next) {
			if (!n->pending && !dir_add(req, buf, size, &used, n->name, n->inode->ino,
						    packets_name(n) ? S_IFREG : n->inode->mode, n->cookie + 2))
				break;
			cursor->offset = n->cookie + 2;
			cursor->next = TAILQ_NEXT(n, entry);
		}
	}
	fuse_reply_buf(req, buf, used);
}
