#include "node.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "channels.h"
#include "entries.h"
#include "inode.h"
#include "stamp.h"

struct node *node_get(struct node_table *t, uint64_t id)
{
	struct node *node;

	HASH_FIND(by_id, t->by_id, &id, sizeof(id), node);
	return node;
}

struct node *node_create(struct node_table *t, enum node_kind kind, struct inode *inode, mode_t mode, uid_t uid,
			 gid_t gid)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->id = ++t->next_id;
	HASH_ADD(by_id, t->by_id, id, sizeof(node->id), node);
	if (!node->by_id.tbl) {
		free(node);
		return NULL;
	}
	if (!inode) {
		inode = inode_create(++t->next_ino, mode, uid, gid);
		if (!inode) {
			HASH_DELETE(by_id, t->by_id, node);
			free(node);
			return NULL;
		}
		if (S_ISFIFO(mode))
			channels_add(&t->channels, inode);
	}
	inode->refs++;
	node->kind = kind;
	node->inode = inode;
	entries_init(&node->entries);
	entries_init(&node->vacancies);
	return node;
}

int node_charge(struct node *node, struct account *account)
{
	node->charge = (struct charge){ .account = account, .of = ACCOUNT_NODES };
	return account ? charge_set(&node->charge, 1) : -ENOMEM;
}

void node_put_inode(struct node_table *t, struct inode *inode)
{
	if (--inode->refs)
		return;
	if (S_ISFIFO(inode->mode))
		channels_remove(&t->channels, inode);
	stamp_put(inode->stamp);
	free(inode);
}

static void node_free(struct node_table *t, struct node *node)
{
	HASH_DELETE(by_id, t->by_id, node);
	if (node->text)
		node->text->free(node->text);
	charge_finish(&node->charge);
	stamp_put(node->stamp);
	node_put_inode(t, node->inode);
	free(node->name);
	free(node);
}

void node_release(struct node_table *t, struct node *node)
{
	if (!node->parent && !node->lookups && !node->pins && node != t->root)
		node_free(t, node);
}

struct node *node_find(const struct node *dir, const char *name)
{
	return entries_find(&dir->entries, name);
}

/* The node takes its place in @dir. */
static void node_enter(struct node_table *t, struct node *node, struct node *dir)
{
	node->parent = dir;
	entries_add(&dir->entries, node);
	t->names++;
	node->inode->names++;
	if (node->kind == NODE_DIR) {
		dir->subdirs++;
	} else {
		if (node_is_tap(node))
			node->inode->taps++;
		channels_add_name(node->inode, node);
	}
	inode_touch(node->inode, INODE_CTIME);
	inode_touch(dir->inode, INODE_MTIME | INODE_CTIME);
}

int node_attach(struct node_table *t, struct node *node, struct node *dir, const char *name)
{
	char *copy;

	if (node_find(dir, name))
		return -EEXIST;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(node->name);
	node->name = copy;
	node->cookie = ++t->next_cookie;
	node_enter(t, node, dir);
	return 0;
}

void node_replace(struct node *old, struct node *fresh)
{
	struct node *dir = old->parent;

	entries_remove(&dir->entries, old);
	fresh->name = old->name;
	fresh->parent = dir;
	fresh->cookie = old->cookie;
	charge_finish(&fresh->charge);
	fresh->charge = old->charge;
	old->charge = (struct charge){ 0 };
	old->name = NULL;
	old->parent = NULL;
	entries_add(&dir->entries, fresh);
	channels_add_name(fresh->inode, fresh);
	channels_remove_name(old->inode, old);
}

void node_detach(struct node_table *t, struct node *node)
{
	struct node *dir = node->parent;

	entries_remove(&dir->entries, node);
	t->names--;
	node->parent = NULL;
	node->inode->names--;
	if (node->kind == NODE_DIR) {
		dir->subdirs--;
	} else {
		if (node_is_tap(node))
			node->inode->taps--;
		channels_remove_name(node->inode, node);
	}
	inode_touch(node->inode, INODE_CTIME);
	inode_touch(dir->inode, INODE_MTIME | INODE_CTIME);
}

void node_move(struct node_table *t, struct node *node, struct node *dir, char *name)
{
	bool stays = node->parent == dir;

	node_detach(t, node);
	free(node->name);
	node->name = name;
	if (!stays)
		node->cookie = ++t->next_cookie;
	node_enter(t, node, dir);
}

static void node_leave(struct node *node)
{
	entries_remove(&node->parent->entries, node);
	node->parent->subdirs -= node->kind == NODE_DIR;
}

static void node_take_place(struct node *node, const struct node *of)
{
	node->parent = of->parent;
	node->name = of->name;
	node->cookie = of->cookie;
	node->parent->subdirs += node->kind == NODE_DIR;
	entries_add(&node->parent->entries, node);
	inode_touch(node->inode, INODE_CTIME);
	inode_touch(node->parent->inode, INODE_MTIME | INODE_CTIME);
}

void node_exchange(struct node *a, struct node *b)
{
	const struct node was = { .parent = a->parent, .name = a->name, .cookie = a->cookie };

	node_leave(a);
	node_leave(b);
	node_take_place(a, b);
	node_take_place(b, &was);
}

int node_table_init(struct node_table *t, mode_t mode, uid_t uid, gid_t gid)
{
	memset(t, 0, sizeof(*t));
	channels_init(&t->channels);
	t->root = node_create(t, NODE_DIR, NULL, S_IFDIR | (mode & 07777), uid, gid);
	if (!t->root)
		return -ENOMEM;
	t->root->inode->names = 1;
	return 0;
}

void node_table_finish(struct node_table *t)
{
	struct node *node, *next;

	HASH_ITER(by_id, t->by_id, node, next)
		node_free(t, node);
}

size_t node_path_length(const struct node *node)
{
	size_t len = 0;

	for (; node->parent && len < PATH_MAX; node = node->parent)
		len += 1 + strlen(node->name);
	return len;
}

unsigned node_depth(const struct node *node)
{
	unsigned depth = 0;

	for (; node->parent && depth < PATH_MAX / 2; node = node->parent)
		depth++;
	return depth;
}

char *node_path(const struct node *node)
{
	char path[PATH_MAX];
	char *at = path + sizeof(path);
	const struct node *dir;

	*--at = '\0';
	for (; (dir = node->parent ? node->parent : node->vacant_in); node = dir) {
		size_t n = strlen(node->name);

		if ((size_t)(at - path) < n + 1 + strlen(NODE_PATH_CUT))
			break;
		at -= n;
		memcpy(at, node->name, n);
		*--at = '/';
	}
	if (dir)
		at = memcpy(at - strlen(NODE_PATH_CUT), NODE_PATH_CUT, strlen(NODE_PATH_CUT));
	else if (!*at)
		*--at = '/';
	return strdup(at);
}
