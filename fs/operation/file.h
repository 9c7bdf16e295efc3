/* Operations on the regular files of .spfs: texts that never change (struct node_text). */
#pragma once

#include "context.h"

void file_open(fuse_req_t req, const struct node *node, struct fuse_file_info *fi);
void file_read(fuse_req_t req, const struct node *node, size_t size, off_t off);
void file_poll(fuse_req_t req, struct fuse_pollhandle *ph);
