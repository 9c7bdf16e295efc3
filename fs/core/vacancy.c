#include "vacancy.h"

#include "entries.h"

void vacancy_make(struct node_table *t, struct node *node)
{
	struct node *dir = node->parent;

	node->pins++;
	node_detach(t, node);
	node->vacant_in = dir;
	entries_add(&dir->vacancies, node);
}

struct node *vacancy_find(const struct node *dir, const char *name)
{
	return entries_find(&dir->vacancies, name);
}

struct node *vacancy_first(const struct node *dir)
{
	return entries_after(&dir->vacancies, 0);
}

void vacancy_end(struct node *node)
{
	entries_remove(&node->vacant_in->vacancies, node);
	node->vacant_in = NULL;
	node->pins--;
}

int vacancy_fill(struct node_table *t, struct node *node)
{
	struct node *dir = node->vacant_in;
	int err;

	entries_remove(&dir->vacancies, node); /* the node is in one tree at a time */
	err = node_attach(t, node, dir, node->name);
	if (err < 0) {
		entries_add(&dir->vacancies, node);
		return err;
	}
	node->vacant_in = NULL;
	node->pins--;
	return 0;
}
