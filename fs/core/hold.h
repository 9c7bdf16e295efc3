/*
 * A hold: a counted reference to a channel. Nothing reaches a channel's object (lib's struct channel) but through one,
 * so no object goes while anything is under way with it: from hold_take() to hold_drop() the inode stays, the node by
 * which it was taken stays (though it may lose its name), and so does the object, if there is one.
 *
 * A channel without taps, ports or settings of its own has no object: hold_object() makes it where it is wanted.
 * The object goes with the last hold once the channel has no name, nor a place that is kept for one (vacancy.h).
 *
 * The end of the daemon: hold_take() refuses, and each object goes with its last hold (hold_leave()). So whoever has one
 * must come to drop it, also while the daemon leaves.
 *
 * All on the FUSE thread; the channel itself is used on its worker (job.h), while the hold lasts.
 */
#pragma once

#include "job.h"

struct channel;

/* Zero-valid: none. */
struct hold {
	struct context *ctx;
	struct inode *inode;
	struct node *node; /* the name */
};

/* Returns 0, or -ENOTCONN where the daemon is leaving. @h is none then. */
int hold_take(struct hold *h, struct context *ctx, struct node *node);

/* The same of a channel as such, whatever becomes of its names; @node is NULL then. */
int hold_take_inode(struct hold *h, struct context *ctx, struct inode *inode);

/* One more of what @from holds; allowed while leaving. */
void hold_copy(struct hold *h, const struct hold *from);

/* Gives it back, and makes @h none. No-op on none. */
void hold_drop(struct hold *h);

/*
 * Makes the channel's object where there is none, with the mount's defaults or with @settings. Nothing is opened.
 * Returns 0, -ENOMEM, -EDQUOT of the channel's owner, a negative errno of engine_assign(), or -ETIMEDOUT: there is one, but
 * nothing should be asked of its worker (hold_stands()).
 */
int hold_object(struct hold *h);
int hold_object_with(struct hold *h, const struct settings *settings);

/* The object; NULL: there is none yet. Any thread that was handed the hold once there was one. */
struct channel *hold_channel(const struct hold *h);

/* Whether the worker of the channel, if it has an object, waits for what somebody holds (watchdog.h). */
bool hold_stands(const struct hold *h);

/* Whether @ch, which may be gone, is the object of @inode: for what was told of a channel by its worker. */
bool hold_is_of(const struct inode *inode, const struct channel *ch);

/* A job on the worker of the channel, which has an object. The hold must last until it has come back. */
void hold_post(const struct hold *h, struct job *job, void (*work)(struct job *), void (*finish)(struct job *));
void hold_post_longer(const struct hold *h, struct job *job, void (*work)(struct job *), void (*finish)(struct job *));

/*
 * The end: each object is destroyed on its worker once nobody holds it, and when none is left @let_go is called. That may
 * take for ever, where a worker stands.
 */
void hold_leave(struct context *ctx, void (*let_go)(struct context *ctx));
