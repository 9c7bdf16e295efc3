/*
 * A vacancy: the place of an origin that was removed while its channel is kept (keep=1). The node has no name and is in no
 * listing, but stays the channel's origin, with its FIFO, for who has it open and for who makes that name again. A folder
 * has at most one of each name; they end with it. All on the FUSE thread.
 */
#pragma once

#include "node.h"

/* Takes the name of @node away as node_detach() does, but keeps its place. There must be no other vacancy there. */
void vacancy_make(struct node_table *t, struct node *node);

/* The vacancy of that name in @dir, or NULL. */
struct node *vacancy_find(const struct node *dir, const char *name);

/* Any one in @dir, or NULL. */
struct node *vacancy_first(const struct node *dir);

/* Gives the node its name back, where nobody has it. Returns 0 or -ENOMEM. */
int vacancy_fill(struct node_table *t, struct node *node);

/* It is kept no longer. The caller has a pin on it. */
void vacancy_end(struct node *node);

static inline bool vacancy_is(const struct node *node)
{
	return node->vacant_in != NULL;
}
