#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base.h"
#include "channels.h"
#include "entries.h"
#include "inode.h"
#include "node.h"
#include "sanitized.h"

static struct node_table t;

static void start(void)
{
	cr_assert_eq(node_table_init(&t, 0755, 1, 2), 0);
}

static void stop(void)
{
	node_table_finish(&t);
	cr_expect_null(t.by_id);
}

TestSuite(node, .init = start, .fini = stop, .timeout = 60);

static size_t nodes(void)
{
	return HASH_CNT(by_id, t.by_id);
}

static struct node *make(enum node_kind kind, struct node *dir, const char *name)
{
	mode_t type = kind == NODE_DIR ? S_IFDIR : S_IFIFO;
	struct node *node = node_create(&t, kind, NULL, type | 0666, 3, 4);

	cr_assert(node);
	if (kind == NODE_FIFO)
		node->inode->origin = node;
	cr_assert_eq(node_attach(&t, node, dir, name), 0);
	return node;
}

static struct node *make_tap(struct node *origin, const char *name)
{
	struct node *tap = node_create(&t, NODE_FIFO, origin->inode, 0, 0, 0);

	cr_assert(tap);
	cr_assert_eq(node_attach(&t, tap, t.root, name), 0);
	return tap;
}

static void remove_node(struct node *node)
{
	node_detach(&t, node);
	node_release(&t, node);
}

Test(node, the_root_has_the_kernel_s_number)
{
	struct stat st;

	cr_assert_eq(t.root->id, NODE_ROOT);
	cr_assert_eq(node_get(&t, NODE_ROOT), t.root);
	node_stat(t.root, &st);
	cr_assert_eq(st.st_mode, (mode_t)(S_IFDIR | 0755));
	cr_assert_eq(st.st_nlink, 2);
	node_release(&t, t.root);
	cr_assert_eq(node_get(&t, NODE_ROOT), t.root);
}

Test(node, is_found_by_number_and_by_name)
{
	struct node *a = make(NODE_FIFO, t.root, "a");

	cr_assert_eq(node_get(&t, a->id), a);
	cr_assert_eq(node_find(t.root, "a"), a);
	cr_assert_null(node_find(t.root, "b"));
	cr_assert_null(node_get(&t, a->id + 1));
	cr_assert_eq(t.names, 1);
}

Test(node, a_name_is_given_once)
{
	struct node *a = make(NODE_FIFO, t.root, "a");
	struct node *b = node_create(&t, NODE_FIFO, NULL, S_IFIFO, 0, 0);

	cr_assert_eq(node_attach(&t, b, t.root, "a"), -EEXIST);
	cr_assert_eq(node_find(t.root, "a"), a);
	cr_assert_null(b->parent);
	node_release(&t, b);
	cr_assert_eq(nodes(), 2);
}

Test(node, goes_with_the_last_of_its_name_its_lookups_and_its_pins)
{
	struct node *a = make(NODE_FIFO, t.root, "a");
	uint64_t id = a->id;

	a->lookups = 2;
	a->pins = 1;
	remove_node(a);
	cr_assert_eq(node_get(&t, id), a);
	a->lookups = 0;
	node_release(&t, a);
	cr_assert_eq(node_get(&t, id), a);
	a->pins = 0;
	node_release(&t, a);
	cr_assert_null(node_get(&t, id));
	cr_assert_eq(nodes(), 1);
}

Test(node, stays_while_it_has_a_name)
{
	struct node *a = make(NODE_FIFO, t.root, "a");

	node_release(&t, a);
	cr_assert_eq(node_find(t.root, "a"), a);
}

Test(node, a_number_is_never_given_twice)
{
	uint64_t last = 0;

	for (int i = 0; i < 1000; i++) {
		struct node *a = make(NODE_FIFO, t.root, "a");

		cr_assert_gt(a->id, last);
		last = a->id;
		remove_node(a);
	}
	cr_assert_eq(nodes(), 1);
	cr_assert_eq(t.names, 0);
}

Test(node, names_of_a_channel_share_its_attributes)
{
	struct node *a = make(NODE_FIFO, t.root, "a");
	struct node *b = make_tap(a, "b");
	struct stat sa, sb;

	node_stat(a, &sa);
	node_stat(b, &sb);
	cr_assert_eq(sa.st_ino, sb.st_ino);
	cr_assert_neq(a->id, b->id);
	cr_assert_eq(sa.st_nlink, 2);
	cr_assert_eq(sb.st_nlink, 2);
	cr_assert_eq(sa.st_mode, (mode_t)(S_IFIFO | 0222));
	cr_assert_eq(sb.st_mode, (mode_t)(S_IFIFO | 0444));
	cr_assert_not(node_is_tap(a));
	cr_assert(node_is_tap(b));
	remove_node(b);
	node_stat(a, &sa);
	cr_assert_eq(sa.st_mode, (mode_t)(S_IFIFO | 0666));
	cr_assert_eq(sa.st_nlink, 1);
}

Test(node, a_name_changes_the_bits_that_it_shows)
{
	struct node *a = make(NODE_FIFO, t.root, "a");
	struct node *b = make_tap(a, "b");

	node_chmod(a, 0200);
	node_chmod(b, 0440);
	cr_assert_eq(a->inode->mode, (mode_t)(S_IFIFO | 0640));
}

Test(node, the_inode_outlives_its_names_in_any_order)
{
	struct node *a = make(NODE_FIFO, t.root, "a");
	struct node *b = make_tap(a, "b");
	struct inode *inode = a->inode;

	inode->refs++;
	remove_node(a);
	inode->origin = NULL;
	cr_assert_eq(inode->names, 1);
	cr_assert_eq(channels_name_after(inode, 0), b);
	cr_assert_null(channels_name_after(inode, b->id));
	remove_node(b);
	cr_assert_eq(inode->names, 0);
	cr_assert_eq(inode->taps, 0);
	cr_assert_null(channels_name_after(inode, 0));
	cr_assert_eq(inode->refs, 1);
	node_put_inode(&t, inode);
}

Test(node, a_folder_counts_its_folders)
{
	struct node *d = make(NODE_DIR, t.root, "d");
	struct stat st;

	make(NODE_FIFO, d, "x");
	node_stat(t.root, &st);
	cr_assert_eq(st.st_nlink, 3);
	node_stat(d, &st);
	cr_assert_eq(st.st_nlink, 2);
	make(NODE_DIR, d, "y");
	node_stat(d, &st);
	cr_assert_eq(st.st_nlink, 3);
}

Test(node, a_path_leads_from_the_root)
{
	struct node *d = make(NODE_DIR, make(NODE_DIR, t.root, "a"), "long name");
	_cleanup_free_ char *path = node_path(make(NODE_FIFO, d, "x"));
	_cleanup_free_ char *root = node_path(t.root);

	cr_assert_str_eq(path, "/a/long name/x");
	cr_assert_str_eq(root, "/");
}

Test(node, of_a_path_that_is_too_long_the_end_is_told)
{
	struct node *d = t.root;
	char name[200] = "";
	size_t len = 0;

	memset(name, 'n', sizeof(name) - 1);
	for (; len < 3 * PATH_MAX; len += sizeof(name))
		d = make(NODE_DIR, d, name);
	cr_assert_geq(node_path_length(d), PATH_MAX);
	cr_assert_leq(node_path_length(d), PATH_MAX + sizeof(name), "it goes through all of it");
	{
		_cleanup_free_ char *path = node_path(make(NODE_FIFO, d, "x"));

		cr_assert_lt(strlen(path), PATH_MAX);
		cr_assert_gt(strlen(path), PATH_MAX - 2 * sizeof(name));
		cr_assert(!strncmp(path, ".../nnn", 7) && !strcmp(path + strlen(path) - 4, "nn/x"), "%s", path);
	}
}

Test(node, what_it_is_charged_with_is_given_back_when_it_goes)
{
	struct account a = { .of[ACCOUNT_NODES].limit = 1 };
	struct node *one = make(NODE_FIFO, t.root, "a"), *two = make(NODE_FIFO, t.root, "b");

	cr_assert_eq(node_charge(one, &a), 0);
	cr_assert_eq(node_charge(two, &a), -EDQUOT);
	one->pins++;
	remove_node(one);
	cr_assert_eq(a.of[ACCOUNT_NODES].used, 1, "it has lost its name only");
	one->pins--;
	node_release(&t, one);
	cr_assert_eq(a.of[ACCOUNT_NODES].used, 0);
	cr_assert_eq(node_charge(two, &a), 0);
	remove_node(two);
}

Test(node, a_listing_goes_on_behind_what_is_removed)
{
	struct node *n[3] = { make(NODE_FIFO, t.root, "c"), make(NODE_FIFO, t.root, "b"),
			      make(NODE_FIFO, t.root, "a") };
	uint64_t first = n[0]->cookie, second = n[1]->cookie;

	cr_assert_eq(entries_after(&t.root->entries, 0), n[0]);
	cr_assert_eq(entries_after(&t.root->entries, first), n[1]);
	cr_assert_eq(entries_next(n[1]), n[2]);
	cr_assert_null(entries_next(n[2]));
	remove_node(n[1]);
	cr_assert_eq(entries_after(&t.root->entries, first), n[2]);
	cr_assert_eq(entries_after(&t.root->entries, second), n[2]);
	remove_node(n[2]);
	cr_assert_null(entries_after(&t.root->entries, first));
	remove_node(n[0]);
	cr_assert(entries_empty(&t.root->entries));
}

Test(node, many_entries_are_found_by_name_and_by_place)
{
	struct node *n[2000];
	char name[16];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "%d", i * 7919 % 2000);
		n[i] = make(NODE_FIFO, t.root, name);
	}
	for (int i = 0; i < 2000; i += 2)
		remove_node(n[i]);
	for (int i = 1; i < 2000; i += 2) {
		cr_assert_eq(node_find(t.root, n[i]->name), n[i]);
		cr_assert_eq(entries_after(&t.root->entries, n[i]->cookie - 2), n[i]);
		cr_assert_eq(entries_next(n[i]), i + 2 < 2000 ? n[i + 2] : NULL);
	}
	snprintf(name, sizeof(name), "%d", 10 * 7919 % 2000);
	cr_assert_null(node_find(t.root, name));
}

Test(node, a_name_that_is_renamed_in_its_folder_keeps_its_place)
{
	struct node *d = make(NODE_DIR, t.root, "d");
	struct node *a = make(NODE_FIFO, d, "a"), *b = make(NODE_FIFO, d, "b");
	uint64_t cookie = a->cookie;

	node_move(&t, a, d, strdup("z"));
	cr_assert_eq(a->cookie, cookie);
	cr_assert_null(node_find(d, "a"));
	cr_assert_eq(node_find(d, "z"), a);
	cr_assert_eq(entries_after(&d->entries, 0), a);
	cr_assert_eq(entries_next(a), b);
	cr_assert_eq(a->inode->names, 1);
}

Test(node, a_name_that_comes_from_elsewhere_is_last)
{
	struct node *d = make(NODE_DIR, t.root, "d");
	struct node *a = make(NODE_FIFO, d, "a"), *b = make(NODE_FIFO, t.root, "b");

	node_move(&t, a, t.root, strdup("elsewhere"));
	cr_assert_gt(a->cookie, b->cookie, "it would be listed out of order");
	cr_assert_null(node_find(d, "a"));
	cr_assert_eq(node_find(t.root, "elsewhere"), a);
	cr_assert_eq(entries_next(b), a);
}

Test(node, a_folder_that_is_removed_has_no_links)
{
	struct node *d = make(NODE_DIR, t.root, "d");
	struct stat st;

	d->pins++;
	remove_node(d);
	node_stat(d, &st);
	cr_assert_eq(st.st_nlink, 0);
	d->pins--;
	node_release(&t, d);
}

Test(node, a_replaced_node_leaves_name_and_place_to_the_fresh_one)
{
	struct node *d = make(NODE_DIR, t.root, "d");
	struct node *a = make(NODE_FIFO, d, "a"), *b = make(NODE_FIFO, d, "b");
	struct node *fresh = node_create(&t, NODE_FIFO, a->inode, 0, 0, 0);
	uint64_t cookie = a->cookie;

	node_replace(a, fresh);
	cr_assert_eq(fresh->cookie, cookie);
	cr_assert_eq(node_find(d, "a"), fresh);
	cr_assert_eq(entries_after(&d->entries, 0), fresh);
	cr_assert_eq(entries_next(fresh), b);
	cr_assert_eq(channels_name_after(fresh->inode, 0), fresh);
	cr_assert_null(channels_name_after(fresh->inode, fresh->id));
	cr_assert_eq(fresh->inode->names, 1);
	cr_assert_null(a->parent);
	node_release(&t, a);
}

#define MANY 100000

/*
 * There is memory for each node, and none for a larger table of them: that is refused, and does not end the process.
 */
Test(node, without_memory_for_the_table, .disabled = SANITIZED)
{
	static void *small[MANY * 4];
	struct rlimit before, none;
	size_t made = 0;

	for (size_t i = 0; i < MANY * 4; i++) /* holes between them, and no place that is larger */
		small[i] = malloc(i % 4 < 2 ? sizeof(struct node) : sizeof(struct inode));
	for (size_t i = 0; i < MANY * 4; i += 2)
		free(small[i]);
	getrlimit(RLIMIT_AS, &before);
	none = before;
	none.rlim_cur = 1;
	setrlimit(RLIMIT_AS, &none);
	while (made < MANY && node_create(&t, NODE_FIFO, NULL, S_IFIFO | 0666, 3, 4))
		made++;
	setrlimit(RLIMIT_AS, &before);
	cr_expect_lt(made, MANY, "the table grew");
	cr_expect_eq(nodes(), made + 1);
	cr_assert_not_null(node_create(&t, NODE_FIFO, NULL, S_IFIFO | 0666, 3, 4));
	for (size_t i = 1; i < MANY * 4; i += 2)
		free(small[i]);
}
