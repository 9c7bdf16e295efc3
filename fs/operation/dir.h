/* Operations on folders and names. */
#pragma once

#include "server.h"

extern const char admin_name[];
extern const char numbers_name[];
extern const char control_name[];

void dir_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void dir_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void dir_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void dir_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void dir_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void dir_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
		const char *newname, unsigned int flags);
void dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/*
 * The folder a name is to be made in, after every check that the kernel has not made. Returns NULL
 * with *err set to a positive errno.
 */
struct node *dir_for_new(struct server *s, fuse_ino_t parent, const char *name, int *err);

/* Whether the node is the daemon's own and not to be changed. */
bool dir_is_admin(const struct server *s, const struct node *node);

/* Fills the entry and counts the look-up. */
void dir_entry(struct node *node, struct fuse_entry_param *e);

/* Answers a look-up with the node. */
void dir_reply_entry(fuse_req_t req, struct node *node);

/* Takes a name away, with what that means for its channel. */
void dir_remove(struct server *s, struct node *node);
