/*
 * Handles: regular files as only the creator of a channel sees one.
 *
 * A handle of a packet channel is for writing alone and has no position: each WRITE request is a message, whole or
 * refused. A write(2) that the kernel cuts into requests is refused with its first (it is too large), but for
 * a writev(2) of more pages than a request has room for: that returns what its first message took. With O_APPEND nothing
 * tells the rest of it from the next write, so such a one becomes several messages. Who opens it to read has an empty file,
 * and no handle.
 *
 * Any other handle has a position like a regular file's: writing on where it stands appends to the stream,
 * a gap (a sparse file's hole, ftruncate to more) becomes zeros, and going back is ESPIPE.
 */
#pragma once

#include "context.h"

void handle_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void handle_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void handle_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void handle_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi);
void handle_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph);
void handle_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* The end of the daemon: what is parked is answered, no handle has a part in its channel any more. */
void handles_leave(struct context *ctx);

/* When no thread is left but this one. */
void handles_destroy(struct context *ctx);

/* ftruncate(2) of a handle: zeros up to @size where that is more. Answers the request itself. */
void handle_truncate(fuse_req_t req, struct node *node, off_t size, struct fuse_file_info *fi);
