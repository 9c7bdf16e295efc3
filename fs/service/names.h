/* Names of channels as they come and go, with what that means for the channel. */
#pragma once

#include "context.h"

/*
 * A new channel, whose only name @node is: gets its object with @settings, and what needs no tap is put in force.
 * Returns 0, or -ENOMEM, -EDQUOT, -ENOTCONN: the name is gone then. What fails later is logged.
 */
int names_begin(struct context *ctx, struct node *node, const struct settings *settings);

/*
 * Takes a name or an empty folder away; the node may be gone afterwards. A channel that is kept (vacancy.h) goes on without
 * its origin's name, as long as it has taps or is declared; those that are kept for names in the folder end, in turns
 * (turns.h) that follow. Returns 0, -ENOTCONN or -ENOMEM.
 */
int names_remove(struct context *ctx, struct node *node);

/*
 * The channel of @node is looked up: where its last stream is about to have been read, the worker looks whether who reads
 * it has gone meanwhile. What comes of it settles (settle.h).
 */
void names_look(struct context *ctx, struct node *node);

/*
 * Moves @node to @name in @to, in the place of @old if that is not NULL. Returns 0, or -ENOTCONN or -ENOMEM with
 * everything as it was.
 */
int names_move(struct context *ctx, struct node *node, struct node *old, struct node *to, const char *name);

/*
 * The channel that is kept for @name in @dir, if who asks may take it over: its owner, who may write it, and the daemon
 * (@req NULL). What somebody else makes of that name is a channel of its own, and the log says so. NULL: there is none.
 */
struct node *names_kept(fuse_req_t req, const struct node *dir, const char *name);

/* Whether that has to wait for the groups of who asks, as for callers_wait(). */
bool names_kept_waits(fuse_req_t req, const struct node *dir, const char *name);

/* Gives a kept channel its name back, which is free. Returns 0 or -ENOMEM. */
int names_return(struct context *ctx, struct node *node);
