/*
 * Extended attributes: how a channel is asked and told by setfattr(1) and getfattr(1). Which there are, and what they
 * mean, say the tables of fs/control (xattr-attribute.h); names outside spfs.* are EOPNOTSUPP.
 */
#pragma once

#include <fuse_lowlevel.h>

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size);
void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name);
