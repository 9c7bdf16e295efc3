#include "entries.h"

#include <string.h>

static int entries_by_name(const struct node *a, const struct node *b)
{
	return strcmp(a->name, b->name);
}

static int entries_by_cookie(const struct node *a, const struct node *b)
{
	return (a->cookie > b->cookie) - (a->cookie < b->cookie);
}

RB_GENERATE_INTERNAL(entries_names, node, by_name, entries_by_name, TREE_STATIC)
RB_GENERATE_INTERNAL(entries_order, node, by_cookie, entries_by_cookie, TREE_STATIC)

void entries_init(struct entries *e)
{
	RB_INIT(&e->names);
	RB_INIT(&e->order);
}

bool entries_empty(const struct entries *e)
{
	return RB_EMPTY(&e->order);
}

/* The macros' searches write nothing, though they are not declared so. */
struct node *entries_find(const struct entries *e, const char *name)
{
	return RB_FIND(entries_names, (struct entries_names *)&e->names, &(struct node){ .name = (char *)name });
}

struct node *entries_after(const struct entries *e, uint64_t cookie)
{
	return RB_NFIND(entries_order, (struct entries_order *)&e->order, &(struct node){ .cookie = cookie + 1 });
}

struct node *entries_next(struct node *node)
{
	return RB_NEXT(entries_order, NULL, node);
}

void entries_add(struct entries *e, struct node *node)
{
	RB_INSERT(entries_names, &e->names, node);
	RB_INSERT(entries_order, &e->order, node);
}

void entries_remove(struct entries *e, struct node *node)
{
	RB_REMOVE(entries_names, &e->names, node);
	RB_REMOVE(entries_order, &e->order, node);
}
