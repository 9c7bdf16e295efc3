/*
 * Entries: what is in a folder, by name and in the order of a listing. Nothing here takes longer than a search of a
 * balanced tree, however many there are and whatever they are called: a hash of names could be made to collide.
 */
#pragma once

#include "node.h"

void entries_init(struct entries *e);

bool entries_empty(const struct entries *e);

/* NULL: there is none of that name. */
struct node *entries_find(const struct entries *e, const char *name);

/* The first one behind @cookie, whether or not there is still one of that cookie; 0: the first of all. NULL: none. */
struct node *entries_after(const struct entries *e, uint64_t cookie);

/* The one behind @node in its folder; NULL: it is the last. */
struct node *entries_next(struct node *node);

/* By its name and its cookie, which nobody has there, and which stay until it is removed. */
void entries_add(struct entries *e, struct node *node);
void entries_remove(struct entries *e, struct node *node);
