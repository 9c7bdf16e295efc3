/* The files of the folder .spfs: what they are, and their look-up. See spfsd(8). */
#pragma once

#include "context.h"

/* Gives each file its place in the folder. Returns 0 or -ENOMEM. */
int files_create(struct context *ctx);

/*
 * Answers a look-up of @file, a node in .spfs, with a snapshot of what it holds: at once or once that is gathered.
 * ENFILE, ENOMEM, ENOTCONN.
 */
void files_lookup(fuse_req_t req, struct node *file);
