/*
 * Extended attributes: how a channel is asked and told by setfattr(1) and getfattr(1).
 *
 *   spfs.tee    set: makes a tap of that name, relative to the channel's folder; on a tap: the origin's
 *               path, and removing it removes the tap
 *   spfs.taps   a JSON array of the taps' paths in the mount
 *   spfs.stats  one JSON object
 *   spfs.source, spfs.sink, spfs.ports, spfs.detach: see portattr.h
 *   spfs.size, spfs.depth and the other settings: see settingattr.h
 *
 * But for settings, the same answer comes for every name of the channel. Names outside spfs.* are EOPNOTSUPP.
 */
#pragma once

#include <fuse_lowlevel.h>

struct node;

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size);
void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name);

/*
 * Answers a getxattr(2) or listxattr(2) whose buffer has @size bytes: @len bytes of @value, or with a
 * @size of 0 how much buffer that needs, with @room to spare, or ERANGE.
 */
void xattr_reply(fuse_req_t req, const char *value, size_t len, size_t size, size_t room);

/* Answers with @err, and says in the log of what and why; NULL: what @err says. */
void xattr_refuse(fuse_req_t req, const struct node *node, const char *what, int err, const char *why);

/* Room for a text whose numbers may have grown by the time it is asked for again. */
#define XATTR_ROOM 512
