#include "inode.h"

#include <stdlib.h>
#include <string.h>

#include "channels.h"
#include "clock.h"
#include "stamp.h"

struct inode *inode_create(uint64_t ino, mode_t mode, uid_t uid, gid_t gid)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return NULL;
	inode->ino = ino;
	inode->mode = mode;
	inode->uid = uid;
	inode->gid = gid;
	channels_init_names(inode);
	LIST_INIT(&inode->waiters);
	inode_touch(inode, INODE_ATIME | INODE_MTIME | INODE_CTIME);
	return inode;
}

void inode_touch(struct inode *inode, int which)
{
	struct timespec now = clock_timespec(clock_now());

	if (which & INODE_ATIME)
		inode->atime = now;
	if (which & INODE_MTIME)
		inode->mtime = now;
	if (which & INODE_CTIME)
		inode->ctime = now;
}

void inode_times_set(struct inode *inode, int which)
{
	uint64_t nsec = clock_now();

	if (which & INODE_ATIME)
		inode->atime_set = nsec;
	if (which & INODE_MTIME)
		inode->mtime_set = nsec;
	if (inode->stamp)
		atomic_store(&inode->stamp->floor, nsec); /* (the worker's clock is behind) */
}

/* The times that data has moved at, where they are later than what has been set. */
static void inode_moved(const struct node *node, struct stat *st)
{
	struct stamp *s = node_is_tap(node) ? node_name(node)->stamp : node->inode->stamp;
	uint64_t mtime = s ? s->mtime : 0, atime = s ? s->atime : 0;

	if (atime > node->inode->atime_set)
		st->st_atim = clock_timespec(atime);
	if (mtime <= node->inode->mtime_set)
		return;
	st->st_mtim = clock_timespec(mtime);
	if (st->st_mtim.tv_sec > st->st_ctim.tv_sec ||
	    (st->st_mtim.tv_sec == st->st_ctim.tv_sec && st->st_mtim.tv_nsec > st->st_ctim.tv_nsec))
		st->st_ctim = st->st_mtim;
}

static bool inode_unmasked;

void inode_unmask(void)
{
	inode_unmasked = true;
}

/* The permission bits that a name of the channel shows. */
static mode_t inode_shown(const struct node *node)
{
	if (!node_is_channel(node) || !node->inode->taps || inode_unmasked)
		return 07777;
	if (node_is_tap(node))
		return 07444;
	return inode_is_read_by_taps(node->inode) ? 07222 : 07777;
}

void node_stat(const struct node *node, struct stat *st)
{
	const struct inode *inode = node->inode;

	memset(st, 0, sizeof(*st));
	st->st_ino = inode->ino;
	st->st_mode = inode->mode & (S_IFMT | inode_shown(node));
	st->st_nlink = node->kind == NODE_DIR && inode->names ? node->subdirs + 2 : inode->names;
	st->st_uid = inode->uid;
	st->st_gid = inode->gid;
	st->st_atim = inode->atime;
	st->st_mtim = inode->mtime;
	st->st_ctim = inode->ctime;
	inode_moved(node, st);
	st->st_blksize = 4096;
	if (node->kind == NODE_HANDLE) {
		st->st_mode = (inode->mode & 07777) | S_IFREG;
		st->st_size = (off_t)node->size;
	}
	if (node->text) {
		st->st_size = (off_t)node->text->len;
		st->st_blocks = (blkcnt_t)((node->text->len + 511) / 512);
		st->st_atim = st->st_mtim = st->st_ctim = node->text->time;
	}
}

void node_chmod(struct node *node, mode_t mode)
{
	mode_t mask = inode_shown(node) & 07777;

	node->inode->mode = (node->inode->mode & ~mask) | (mode & mask);
	inode_touch(node->inode, INODE_CTIME);
}
