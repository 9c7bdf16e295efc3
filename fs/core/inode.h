/* Attributes: what stat(2) says of a name, and what chmod(2), chown(2) and utimensat(2) change. */
#pragma once

#include "node.h"

enum { INODE_ATIME = 1, INODE_MTIME = 2, INODE_CTIME = 4 };

struct inode *inode_create(uint64_t ino, mode_t mode, uid_t uid, gid_t gid);

/* Sets the times named by @which to now. */
void inode_touch(struct inode *inode, int which);

/* Somebody has set those times, to whatever: what has moved before does not count any more. */
void inode_times_set(struct inode *inode, int which);

/*
 * The node's attributes. Where a channel has taps, its origin is write-only (mode & 0222), unless others may read it
 * (readers=allow) or there is nothing to read (packets), and its taps are read-only (& 0444): default_permissions makes
 * the kernel enforce it.
 */
void node_stat(const struct node *node, struct stat *st);

/*
 * For a daemon without the right to open what the masks forbid (an ordinary user's, without a user
 * namespace of its own): every name shows the channel's mode.
 */
void inode_unmask(void);

/* chmod(2) through a name: a teed channel's name changes the bits that it shows. */
void node_chmod(struct node *node, mode_t mode);
