/*
 * Settling: what was answered before it is done. The kernel tells of a close(2) when it is over, and waits for no answer;
 * a removal, or a file that is made, holds its folder's lock and waits for no worker. So what follows is done after that.
 *
 * Whoever looks a name of the channel up meanwhile waits until it is: so nobody who comes after a close(2) or an unlink(2)
 * finds the daemon's own end of the FIFO still open, and passes by it for a reader or writer that is none.
 */
#pragma once

#include "hold.h"

/* A job on the worker of a channel. */
struct settle {
	struct job job;
	struct loop_io turn; /* the worker's */
	const struct hold *hold;
	void (*work)(struct settle *s);   /* on the worker */
	void (*finish)(struct settle *s); /* on the FUSE thread; may free it */
};

/* @hold, on a channel that has an object, must last until @finish. They come back in the order in which they were posted. */
void settle_post(struct settle *s, const struct hold *hold, void (*work)(struct settle *),
		 void (*finish)(struct settle *));

/*
 * The same for work that closes ends of the origin: it is over once they are closed indeed, for a poll(2) that was
 * cancelled holds its file until the worker's next turn. What was posted after it may come back before.
 */
void settle_post_closing(struct settle *s, const struct hold *hold, void (*work)(struct settle *),
			 void (*finish)(struct settle *));

/* Who waits. Embedded; the caller's until it is run, exactly once, on the FUSE thread. */
struct settle_waiter {
	void (*run)(struct settle_waiter *w);

	/* Private. */
	LIST_ENTRY(settle_waiter) entry;
	struct loop_io late;
};

/*
 * Whatever hangs, nobody waits for what has begun to settle longer ago: so a user whose worker hangs delays who looks
 * their channels up once, and not for each.
 */
#define SETTLE_NSEC 500000000u

/* Whether something of @inode is settling, and is to be waited for. */
bool settle_goes_on(const struct inode *inode);

/* For an inode of which settle_goes_on(). */
void settle_wait(struct context *ctx, struct inode *inode, struct settle_waiter *w);
