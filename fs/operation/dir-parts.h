/* What the files that find, make and link names share. */
#pragma once

#include "dir.h"
#include "node.h"

/* *node: the nameless node that stands for the name in an answer, charged to the caller. Returns 0 or a negative errno. */
int dir_stand_in(fuse_req_t req, struct inode *inode, enum node_kind kind, const char *name, struct node **node);
