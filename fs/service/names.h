/* Names of channels as they come and go, with what that means for the channel. */
#pragma once

#include "context.h"

/*
 * A new channel, whose only name @node is: gets its object with @settings, and what needs no tap is put in force.
 * Returns 0, or -ENOMEM, -EDQUOT, -ENOTCONN: the name is gone then. What fails later is logged.
 */
int names_begin(struct context *ctx, struct node *node, const struct settings *settings);

/* Takes a name or an empty folder away; the node may be gone afterwards. Returns 0 or -ENOTCONN. */
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
