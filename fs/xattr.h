/*
 * Extended attributes: how a channel is asked and told by setfattr(1) and getfattr(1).
 *
 *   spfs.tee    set: makes a tap of that name, relative to the channel's folder; remove, on a tap:
 *               removes it
 *   spfs.taps   the taps' paths in the mount, one a line
 *   spfs.stats  one JSON object
 *
 * One answer comes for every name of the channel. Names outside spfs.* are EOPNOTSUPP.
 */
#pragma once

#include <fuse_lowlevel.h>

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size);
void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name);
