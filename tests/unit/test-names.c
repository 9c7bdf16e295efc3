/* Names that go, with what is kept for them. */
#include "names.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base.h"
#include "context.h"
#include "loop.h"
#include "turns.h"
#include "vacancy.h"

#define MANY (20 * TURNS_THINGS)

static struct context ctx;

static void start(void)
{
	cr_assert_eq(loop_create(&ctx.loop), 0);
	cr_assert_eq(node_table_init(&ctx.nodes, 0755, 1, 2), 0);
}

static void stop(void)
{
	node_table_finish(&ctx.nodes);
	loop_destroy(ctx.loop);
}

TestSuite(names, .init = start, .fini = stop, .timeout = 60);

static struct node *make(enum node_kind kind, struct node *dir, const char *name)
{
	struct node *node = node_create(&ctx.nodes, kind, NULL, (kind == NODE_DIR ? S_IFDIR : S_IFIFO) | 0666, 3, 4);

	cr_assert(node);
	if (kind == NODE_FIFO)
		node->inode->origin = node;
	cr_assert_eq(node_attach(&ctx.nodes, node, dir, name), 0);
	return node;
}

static unsigned kept(void)
{
	return HASH_CNT(by_id, ctx.nodes.by_id) - 1;
}

/* Who is served in between. */
struct other {
	struct loop_task task;
	unsigned last, most; /* that went from one turn to the next */
};

static void other_run(struct loop_task *task)
{
	struct other *o = container_of(task, struct other, task);
	unsigned went = o->last - kept();

	o->most = went > o->most ? went : o->most;
	o->last = kept();
	if (o->last)
		loop_post(ctx.loop, task);
	else
		loop_stop(ctx.loop);
}

Test(names, a_folder_goes_at_once_and_what_is_kept_for_it_in_turns)
{
	struct node *dir = make(NODE_DIR, ctx.nodes.root, "dir");
	struct other other = { .task.run = other_run };
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		vacancy_make(&ctx.nodes, make(NODE_FIFO, dir, name));
	}
	cr_assert_eq(kept(), MANY + 1);
	other.last = kept();
	cr_assert_eq(names_remove(&ctx, dir), 0);
	cr_assert_null(node_find(ctx.nodes.root, "dir"));
	cr_assert_eq(kept(), MANY + 1, "nobody is to wait for what is kept");
	loop_post(ctx.loop, &other.task);
	cr_assert_eq(loop_run(ctx.loop), 0);
	cr_assert_eq(kept(), 0);
	cr_assert_leq(other.most, TURNS_THINGS + 1);
}

/* The end of the daemon lets everything go in its own way. */
Test(names, a_daemon_that_leaves_is_not_held_up)
{
	struct node *dir = make(NODE_DIR, ctx.nodes.root, "dir");

	for (int i = 0; i < 3; i++)
		vacancy_make(&ctx.nodes, make(NODE_FIFO, dir, (char[]){ (char)('a' + i), '\0' }));
	cr_assert_eq(names_remove(&ctx, dir), 0);
	ctx.leaving = true;
	loop_stop(ctx.loop);
	cr_assert_eq(loop_run(ctx.loop), 0);
	ctx.leaving = false;
	cr_assert_eq(kept(), 4);
}
