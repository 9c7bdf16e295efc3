/* The FUSE operations: the table, and those that concern attributes and the mount as a whole. */
#pragma once

#include <fuse_lowlevel.h>

extern const struct fuse_lowlevel_ops spfs_ops;
