/*
 * Operations on folders and names: dir.c finds them, dir-make.c and dir-link.c make them, dir-change.c takes them away, dir-list.c
 * lists.
 */
#pragma once

#include "context.h"

void dir_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void dir_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void dir_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void dir_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void dir_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void dir_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname);
void dir_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent, const char *newname,
		unsigned int flags);
void dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* The end: nobody tells of those that were open. */
void dir_close_all(struct context *ctx);
