/* Statistics of a channel: one JSON object, gathered from its worker and from a scan of who has it open. */
#pragma once

#include <stddef.h>

#include "server.h"

/*
 * Answers a getxattr(2) for the channel of @node with its statistics, once they are there: with the
 * text, or where @size is 0 with its length and some room for numbers that grow until it is asked for.
 */
void xattr_stats_reply(fuse_req_t req, struct node *node, size_t size);

/* The same with the taps' paths, as a JSON array. */
void xattr_stats_reply_taps(fuse_req_t req, struct node *node, size_t size);
