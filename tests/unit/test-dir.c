#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "session.h"

static struct session s;

static void start(void)
{
	session_start(&s, NULL);
}

static void stop(void)
{
	session_stop(&s);
}

TestSuite(dir, .init = start, .fini = stop, .timeout = 60);

#define DIR_MODE (S_IFDIR | 0755)
#define FIFO_MODE (S_IFIFO | 0644)

/* Nodes beside the root and the two under .spfs. */
static size_t nodes(void)
{
	return HASH_CNT(by_id, s.ctx.nodes.by_id) - 3;
}

static uint64_t make(uint64_t dir, const char *name, mode_t mode)
{
	int64_t id = session_make(&s, dir, name, mode);

	cr_assert_gt(id, 0, "%s: %s", name, strerror((int)-id));
	return (uint64_t)id;
}

Test(dir, every_answered_lookup_is_forgotten_before_the_node_goes)
{
	uint64_t id = make(NODE_ROOT, "a", FIFO_MODE);

	for (int i = 0; i < 4; i++)
		cr_assert_eq(session_lookup(&s, NODE_ROOT, "a"), (int64_t)id);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "b"), -ENOENT);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "a", FIFO_MODE), 0);
	session_forget(&s, id, 1);
	session_forget(&s, id, 3);
	cr_assert_eq(nodes(), 1);
	session_forget(&s, id, 1);
	cr_assert_eq(nodes(), 0);
}

Test(dir, a_forgotten_name_is_still_there)
{
	uint64_t a = make(NODE_ROOT, "a", FIFO_MODE), b = make(NODE_ROOT, "b", FIFO_MODE);

	session_forget_both(&s, a, b, 1);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "a"), (int64_t)a);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "b"), (int64_t)b);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "a", FIFO_MODE), 0);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "b", FIFO_MODE), 0);
	session_forget_both(&s, a, b, 1);
	cr_assert_eq(nodes(), 0);
}

Test(dir, a_kernel_that_forgets_too_much_does_no_harm)
{
	uint64_t id = make(NODE_ROOT, "a", FIFO_MODE);

	session_forget(&s, id, 1000);
	session_forget(&s, id + 1000, 1);
	session_forget(&s, NODE_ROOT, 5);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "a"), (int64_t)id);
}

Test(dir, a_thousand_names_leave_nothing)
{
	char name[16];

	for (int i = 0; i < 1000; i++) {
		uint64_t id;

		snprintf(name, sizeof(name), "n%d", i);
		id = make(NODE_ROOT, name, i % 2 ? DIR_MODE : FIFO_MODE);
		cr_assert_eq(session_rename(&s, NODE_ROOT, name, NODE_ROOT, "one"), 0);
		cr_assert_eq(session_remove(&s, NODE_ROOT, "one", i % 2 ? DIR_MODE : FIFO_MODE), 0);
		session_forget(&s, id, 1);
	}
	cr_assert_eq(nodes(), 0);
	cr_assert_eq(s.ctx.nodes.names, 0);
}

Test(dir, a_name_renamed_over_goes_when_it_is_forgotten)
{
	uint64_t a = make(NODE_ROOT, "a", FIFO_MODE), b = make(NODE_ROOT, "b", FIFO_MODE);

	cr_assert_eq(session_rename(&s, NODE_ROOT, "a", NODE_ROOT, "b"), 0);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "b"), (int64_t)a);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "a"), -ENOENT);
	cr_assert_eq(nodes(), 2);
	session_forget(&s, b, 1);
	cr_assert_eq(nodes(), 1);
}

Test(dir, refuses_what_makes_no_sense)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE), a = make(NODE_ROOT, "a", FIFO_MODE);
	char name[258];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	make(d, "x", FIFO_MODE);
	cr_assert_eq(session_make(&s, NODE_ROOT, "a", FIFO_MODE), -EEXIST);
	cr_assert_eq(session_make(&s, NODE_ROOT, ".spfs", DIR_MODE), -EEXIST);
	cr_assert_eq(session_make(&s, NODE_ROOT, name, FIFO_MODE), -ENAMETOOLONG);
	cr_assert_eq(session_make(&s, a, "below", FIFO_MODE), -ENOENT);
	cr_assert_eq(session_make(&s, 4711, "below", FIFO_MODE), -ENOENT);
	cr_assert_eq(session_make(&s, NODE_ROOT, "s", S_IFSOCK | 0644), -EPERM);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, name), -ENAMETOOLONG);
	cr_assert_eq(session_lookup(&s, a, "below"), -ENOTDIR);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "d", DIR_MODE), -ENOTEMPTY);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "d", FIFO_MODE), -EISDIR);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "a", DIR_MODE), -ENOTDIR);
	cr_assert_eq(session_remove(&s, NODE_ROOT, ".spfs", DIR_MODE), -EPERM);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "a", NODE_ROOT, "d"), -EISDIR);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "d", NODE_ROOT, "a"), -ENOTDIR);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "a", NODE_ROOT, ".spfs"), -EPERM);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "a", NODE_ROOT, name), -ENAMETOOLONG);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "none", NODE_ROOT, "b"), -ENOENT);
}

/* A removed folder that somebody still is in. */
Test(dir, nothing_is_made_in_a_folder_without_a_name)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE);

	cr_assert_eq(session_remove(&s, NODE_ROOT, "d", DIR_MODE), 0);
	cr_assert_eq(session_make(&s, d, "x", FIFO_MODE), -ENOENT);
	session_forget(&s, d, 1);
	cr_assert_eq(nodes(), 0);
}

Test(dir, nothing_is_moved_into_a_folder_without_a_name)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE);

	make(NODE_ROOT, "a", FIFO_MODE);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "d", DIR_MODE), 0);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "a", d, "a"), -ENOENT);
	session_forget(&s, d, 1);
	cr_assert_eq(nodes(), 1);
}

Test(dir, nothing_is_moved_below_what_is_no_folder)
{
	uint64_t a = make(NODE_ROOT, "a", FIFO_MODE);

	make(NODE_ROOT, "b", FIFO_MODE);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "b", a, "b"), -ENOENT);
	cr_assert_eq(session_rename(&s, a, "b", NODE_ROOT, "c"), -ENOENT);
}

/* setfattr -n spfs.tee -v d/tap, and mv x d/tap while the worker makes the tap. */
Test(dir, a_name_is_not_lost_by_renaming_it_to_that_of_a_tap_on_its_way)
{
	uint64_t id = make(NODE_ROOT, "x", FIFO_MODE);
	struct node *x = node_get(&s.ctx.nodes, id);
	struct node *tap = node_create(&s.ctx.nodes, NODE_FIFO, x->inode, 0, 0, 0);

	cr_assert_eq(node_attach(&s.ctx.nodes, tap, s.ctx.nodes.root, "tap"), 0);
	tap->pending = true;
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "tap"), -ENOENT);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "x", NODE_ROOT, "tap"), -EEXIST);
	cr_assert_eq(session_lookup(&s, NODE_ROOT, "x"), (int64_t)id);
}

Test(dir, lists_everything_in_order_however_small_the_pieces)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE), handle, offset = 0;
	char names[4096], all[8192] = "", want[8192] = ". .. ";

	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		make(d, name, i % 3 ? FIFO_MODE : DIR_MODE);
		strcat(strcat(want, name), " ");
	}
	handle = session_opendir(&s, d);
	do {
		session_readdir(&s, d, handle, &offset, 100, names);
		strcat(all, names);
	} while (*names);
	cr_assert_str_eq(all, want);
	offset = 0; /* rewinddir */
	session_readdir(&s, d, handle, &offset, 65000, names);
	cr_assert_str_eq(names, want);
	session_releasedir(&s, d, handle);
}

Test(dir, a_listing_goes_on_behind_what_was_removed_and_renamed)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE), handle, offset = 0, again;
	char names[4096];

	for (char name[] = "a"; *name <= 'f'; ++*name)
		make(d, name, FIFO_MODE);
	handle = session_opendir(&s, d);
	session_readdir(&s, d, handle, &offset, 4 * 32, names);
	cr_assert_str_eq(names, ". .. a b ");
	again = offset;
	cr_assert_eq(session_remove(&s, d, "a", FIFO_MODE), 0);
	cr_assert_eq(session_remove(&s, d, "c", FIFO_MODE), 0); /* the next */
	cr_assert_eq(session_rename(&s, d, "d", NODE_ROOT, "away"), 0);
	cr_assert_eq(session_rename(&s, d, "e", d, "z"), 0);
	make(d, "new", FIFO_MODE);
	session_readdir(&s, d, handle, &offset, 65000, names);
	cr_assert_str_eq(names, "z f ");
	/* seekdir to where it was, although the name before it is gone by now */
	cr_assert_eq(session_remove(&s, d, "b", FIFO_MODE), 0);
	session_readdir(&s, d, handle, &again, 65000, names);
	cr_assert_str_eq(names, "z f ");
	offset = 0;
	session_readdir(&s, d, handle, &offset, 65000, names);
	cr_assert_str_eq(names, ". .. z f new ");
	session_releasedir(&s, d, handle);
}

Test(dir, a_listing_ends_whoever_renames_and_makes_what_it_gives)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE), handle, offset = 0;
	char names[4096], name[16];
	int given = 0;

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		make(d, name, FIFO_MODE);
	}
	handle = session_opendir(&s, d);
	do {
		session_readdir(&s, d, handle, &offset, 4 * 32, names);
		for (char *at = names; *at; at = strchr(at, ' ') + 1) {
			size_t n = strcspn(at, " ");

			if (*at == '.')
				continue;
			at[n] = '\0';
			snprintf(name, sizeof(name), "r%d", given);
			cr_assert_eq(session_rename(&s, d, at, d, name), 0);
			at[n] = ' ';
			snprintf(name, sizeof(name), "m%d", given++);
			make(d, name, FIFO_MODE);
		}
		cr_assert_leq(given, 50);
	} while (*names);
	cr_assert_eq(given, 50);
	session_releasedir(&s, d, handle);
}

Test(dir, a_folder_opened_while_empty_lists_what_is_made_then)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE), handle = session_opendir(&s, d), offset = 0;
	char names[256];

	make(d, "x", FIFO_MODE);
	session_readdir(&s, d, handle, &offset, sizeof(names), names);
	cr_assert_str_eq(names, ". .. x ");
	session_releasedir(&s, d, handle);
}

Test(dir, an_open_folder_outlives_its_name)
{
	uint64_t d = make(NODE_ROOT, "d", DIR_MODE), handle = session_opendir(&s, d), offset = 0;
	char names[256];

	cr_assert_eq(session_remove(&s, NODE_ROOT, "d", DIR_MODE), 0);
	session_forget(&s, d, 1);
	session_readdir(&s, d, handle, &offset, sizeof(names), names);
	cr_assert_str_eq(names, ". .. ");
	cr_assert_eq(nodes(), 1);
	session_releasedir(&s, d, handle);
	cr_assert_eq(nodes(), 0);
}

Test(dir, each_lookup_of_a_packet_channel_is_a_regular_file_of_its_own)
{
	uint64_t made, a, b;

	s.ctx.defaults.value[SETTING_PACKETS] = 1;
	made = make(NODE_ROOT, "p", FIFO_MODE);
	a = (uint64_t)session_lookup(&s, NODE_ROOT, "p");
	b = (uint64_t)session_lookup(&s, NODE_ROOT, "p");
	cr_assert(a != made && b != made && a != b);
	cr_assert_eq(node_get(&s.ctx.nodes, made)->kind, NODE_FIFO);
	cr_assert_eq(node_get(&s.ctx.nodes, a)->kind, NODE_HANDLE);
	cr_assert_eq(node_get(&s.ctx.nodes, a)->inode, node_get(&s.ctx.nodes, b)->inode);
	cr_assert_eq(nodes(), 4);
	session_forget_both(&s, made, a, 1);
	session_forget(&s, b, 1);
	cr_assert_eq(nodes(), 1);
	cr_assert_eq(session_rename(&s, NODE_ROOT, "p", NODE_ROOT, "q"), 0);
	cr_assert_eq(session_remove(&s, NODE_ROOT, "q", FIFO_MODE), 0);
	cr_assert_eq(nodes(), 0);
}

Test(dir, no_name_leads_to_the_fifo_that_holds_messages)
{
	uint64_t shown;
	struct node *data;

	s.ctx.defaults.value[SETTING_PACKETS] = 1;
	shown = make(NODE_ROOT, "p", FIFO_MODE);
	data = node_find(s.ctx.nodes.root, "p");
	cr_assert_neq(data->id, shown);
	cr_assert_eq(data->lookups, 0);
	cr_assert_neq(session_lookup(&s, NODE_ROOT, "p"), (int64_t)data->id);
	cr_assert_eq(data->lookups, 0);
}
