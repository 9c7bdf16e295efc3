/* Tee: a channel gets a further name, a tap, which is a reader's own complete copy of its streams from then on. */
#pragma once

#include "hold.h"
#include "owner-limits.h"
#include "rights.h"
#include "settings.h"

/* A tap being made. Zero but for the first part. */
struct tee_request {
	/* Set before it starts. */
	struct context *ctx;
	struct node *node; /* a name of the channel */
	struct node *dir;  /* in which @name may be made: folder_for_new(), or tee_place() */
	const char *name;  /* copied */
	bool each;         /* it is to be a broadcast: each who opens it has a tap of his own */
	/* Exactly once, never within the start; the name is seen from now on, unless @err. May free the tee. */
	void (*done)(struct tee_request *t);
	/* The worker is late: whoever waits is to be told ETIMEDOUT, and there will be no name; done() follows. May be NULL. */
	void (*late)(struct tee_request *t);

	/* What it begins with, by tee_set(); the rest is the mount's defaults. */
	bool has[SETTINGS];
	uint64_t value[SETTINGS];

	/* The result. */
	struct node *tap;           /* until done() returns; NULL where @err is set */
	int err;                    /* 0 or a negative errno, logged */
	char why[SETTINGS_WHY_MAX]; /* why it was refused, by what follows; empty: what the errno says */

	/* Private. */
	struct job job;
	struct hold hold; /* by the new name */
	uint64_t id;
	struct stamp *stamp; /* the tap's, on its way to the name */
	struct limits limits;
	bool ruled; /* a broadcast's policy was asked for */
};

/*
 * Whether @r suffice for a tap of the channel: it changes the channel for all, for what was an ordinary FIFO's reader has
 * nothing to read any more. So it is for who may write the channel, or owns it.
 */
bool tee_is_allowed(const struct rights *r, const struct inode *inode);

/*
 * Where it is to be: @path, which is kept until it starts, relative to the channel's folder, or absolute inside the mount.
 * Returns 0, or a negative errno of access_walk() or folder_for_new().
 */
int tee_place(struct tee_request *t, const struct rights *r, const char *path);

/* One of the settings that it has from its beginning on. Returns 0, -EINVAL or -ERANGE. */
int tee_set(struct tee_request *t, const char *name, const char *text);

/*
 * Makes it for @r, and on their account. Returns 0, and done() follows; or a negative errno,
 * and nothing has begun: EACCES (they may not hold the writer back), EINVAL
 * (settings that do not fit), ENOENT (the channel's origin is gone), EDQUOT (of the channel's owner), EEXIST, ENOMEM,
 * ENOTCONN (the daemon is leaving), ETIMEDOUT (see hold_object()).
 */
int tee_start(struct tee_request *t, const struct rights *r);

/*
 * The same for the daemon itself, with @settings of the tap's own (a broadcast's policy is one that was asked for where
 * @ruled), on the account of the channel's owner. The name is in
 * its place at once, though not yet seen.
 */
int tee_start_declared(struct tee_request *t, const struct settings *settings, bool ruled);
