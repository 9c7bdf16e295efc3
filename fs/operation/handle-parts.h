/* What the files of handles share: nobody else sees it. */
#pragma once

#include "feed.h"
#include "handle.h"
#include "settle.h"

struct handle {
	LIST_ENTRY(handle) entry;
	struct hold hold; /* until it is closed */
	struct settle opening;
	struct settle closing;
	struct node *node; /* kept */
	bool detached;     /* it has no part in the channel any more; its feed goes */
	bool closed;       /* the feed is gone */
	bool released;     /* nobody has it open */
	struct charge descriptors;
	bool packets; /* of a packet channel */
	uint64_t pos; /* with packets: where the rest of a write that the kernel cut would be */

	/* The worker's. */
	struct feed *feed;
	int err;              /* why there is none */
	bool told;            /* that it is why a write was refused */
	struct feed_op watch; /* poll(2) wants to be told */
	bool watching;
	struct fuse_pollhandle *ph;
};

/* NULL: who reads a packet channel's origin has none. */
static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (void *)(uintptr_t)fi->fh;
}
