/*
 * A listing goes by cookies: where it stands is the cookie of the last name that was given, and what it gives next is
 * searched for anew. So names that come and go meanwhile are of no matter to it, nor is how many there are.
 *
 * It ends with what was there at its beginning: who makes a name for each that is listed would else never be through.
 */
#include "dir.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "entries.h"
#include "operation-parts.h"
#include "packets.h"
#include "reply.h"

/* An open folder. */
struct dir_listing {
	LIST_ENTRY(dir_listing) entry;
	struct node *dir;
	uint64_t last; /* the cookie that it goes up to */
};

static void dir_close(struct context *ctx, struct dir_listing *listing)
{
	struct node *dir = listing->dir;

	LIST_REMOVE(listing, entry);
	free(listing);
	dir->pins--;
	node_release(&ctx->nodes, dir);
}

void dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct context *ctx = context_of(req);
	struct node *dir = node_get(&ctx->nodes, ino);
	struct dir_listing *listing = dir && dir->kind == NODE_DIR ? calloc(1, sizeof(*listing)) : NULL;

	if (!listing) {
		reply_error(req, dir ? -ENOMEM : -ENOENT);
		return;
	}
	listing->dir = dir;
	listing->last = ctx->nodes.next_cookie;
	dir->pins++;
	LIST_INSERT_HEAD(&ctx->operations->listings, listing, entry);
	fi->fh = (uintptr_t)listing;
	if (fuse_reply_open(req, fi) < 0) /* who asked was killed, so nobody closes it */
		dir_close(ctx, listing);
}

void dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	dir_close(context_of(req), (void *)(uintptr_t)fi->fh);
	reply_error(req, 0);
}

void dir_close_all(struct context *ctx)
{
	struct dir_listing *listing;

	while ((listing = LIST_FIRST(&ctx->operations->listings)))
		dir_close(ctx, listing);
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

/* Offsets: 1 after ".", 2 after "..", else 2 + the cookie of the last name given. */
void dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct dir_listing *listing = (void *)(uintptr_t)fi->fh;
	struct node *dir = listing->dir;
	uint64_t up = dir->parent ? dir->parent->inode->ino : dir->inode->ino;
	_cleanup_free_ char *buf = malloc(size);
	uint64_t off = (uint64_t)offset;
	struct node *n = NULL;
	size_t used = 0;

	if (!buf) {
		reply_error(req, -ENOMEM);
		return;
	}
	if (off == 0)
		listing->last = context_of(req)->nodes.next_cookie;
	if (off == 0 && dir_add(req, buf, size, &used, ".", dir->inode->ino, S_IFDIR, 1))
		off = 1;
	if (off == 1 && dir_add(req, buf, size, &used, "..", up, S_IFDIR, 2))
		off = 2;
	if (off >= 2)
		n = entries_after(&dir->entries, off - 2);
	for (; n && n->cookie <= listing->last; n = entries_next(n))
		if (!n->pending && !dir_add(req, buf, size, &used, n->name, n->inode->ino,
					    packets_name(n) ? S_IFREG : n->inode->mode, n->cookie + 2))
			break;
	fuse_reply_buf(req, buf, used);
}
