/*
 * statx(2) with AT_STATX_DONT_SYNC and no field wanted tells the device, also of a file system that root may not look at.
 * name_to_handle_at(2) tells the number by which FUSE knows the inode: the node's (fs/fuse/inode.c, fuse_encode_fh). Both tell
 * the number of the mount that they have come to, or who changes what is behind the link in between would show two files as one.
 *
 * An O_PATH descriptor to ask both of would be simpler, but for inotify(7) it is an open before Linux 6.10, and whoever drops
 * the last reference to something has to wait for it.
 */
#include "descriptor-node.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"

/* FILEID_INO64_GEN of the kernel's exportfs.h: the halves of a number, then its generation. */
#define HANDLE_TYPE 0x81
#define HANDLE_WORDS 3

/* @empty: AT_EMPTY_PATH, or 0 for what is behind a link. */
static int descriptor_node_ask(int dir, const char *name, int empty, dev_t dev, uint64_t *node)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = { .head = { .handle_bytes = MAX_HANDLE_SZ } };
	uint32_t words[HANDLE_WORDS];
	struct statx st;
	int mount;

	if (statx(dir, name, empty | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) < 0)
		return -errno;
	if (makedev(st.stx_dev_major, st.stx_dev_minor) != dev)
		return -EXDEV;
	if (name_to_handle_at(dir, name, &handle.head, &mount, empty ? empty : AT_SYMLINK_FOLLOW) < 0)
		return errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM ? -ENOTSUP : -errno;
	if (!(st.stx_mask & STATX_MNT_ID))
		return -ENOTSUP;
	if ((uint64_t)mount != st.stx_mnt_id)
		return -EXDEV;
	if (handle.head.handle_type != HANDLE_TYPE || handle.head.handle_bytes != sizeof(words))
		return -ENOTSUP;
	memcpy(words, handle.head.f_handle, sizeof(words));
	*node = (uint64_t)words[0] << 32 | words[1];
	return 0;
}

int descriptor_node_own(int fd, dev_t dev, uint64_t *node)
{
	return descriptor_node_ask(fd, "", AT_EMPTY_PATH, dev, node);
}

int descriptor_node(int dir, const char *name, dev_t dev, uint64_t *node)
{
	return descriptor_node_ask(dir, name, 0, dev, node);
}
