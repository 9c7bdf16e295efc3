/*
 * Visits: look-ups of a broadcast's name. Each is answered with a FIFO of its own, which the channel's worker holds open by then
 * (broadcast.h), so that whoever opens it is the one reader of a tap of his own, charged to him.
 *
 * Most look-ups are not followed by an open, and nobody tells the daemon that: the kernel forgets the FIFO only once the
 * daemon has closed it. So the worker lets go of what has not been opened after a while. If it is not forgotten then, somebody
 * may still open it, and it is held again: for a moment at a time nobody holds it, in which only who opens it with O_NONBLOCK,
 * long after he has looked it up, sees an end.
 *
 * All on the FUSE thread.
 */
#pragma once

#include "context.h"

struct visits;

/* Returns 0 or -ENOMEM. */
int visits_create(struct visits **visits, struct context *ctx);

/* The end: all are let go, and their holds dropped by and by. */
void visits_leave(struct visits *visits);

/* When no other thread works any more. NULL-safe. */
void visits_destroy(struct visits *visits);

/*
 * Answers the look-up @req of @name, a broadcast's. It waits for the channel's worker, but not where that stands: then it is
 * answered at once, and whoever opens what it is answered with waits, as for a writer, until the worker goes on.
 */
void visit_start(fuse_req_t req, struct node *name);

/* Whether that has to wait for the groups of who asks, as for callers_wait(): who may write the channel is told apart. */
bool visit_waits(fuse_req_t req, const struct node *name);

/* The kernel refers to @node, which is a visit's, less often now. The node may be gone afterwards. */
void visit_forgotten(struct node *node);
