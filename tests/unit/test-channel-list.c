/* The list of channels is taken in turns, whatever becomes of them meanwhile. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "collector.h"
#include "services.h"
#include "session.h"
#include "turns.h"

#define FOLDERS 20
#define EACH 500

static struct session s;
static struct context *ctx;
static struct node *folders[FOLDERS], *channels[FOLDERS][EACH];

/* Comes back to the loop again and again. */
static struct ticker {
	struct loop_task task;
	void (*meanwhile)(void);
	unsigned ticks; /* since the list was begun */
	bool over;
} ticker;

static struct collector_waiter waiter;
static char *text;

static struct node *make(enum node_kind kind, struct node *dir, const char *name, mode_t mode, uid_t uid)
{
	struct node *node = node_create(&ctx->nodes, kind, NULL, mode, uid, 0);

	cr_assert(node);
	if (kind == NODE_FIFO)
		node->inode->origin = node;
	cr_assert_eq(node_attach(&ctx->nodes, node, dir, name), 0);
	return node;
}

static void start(void)
{
	session_start(&s, NULL);
	ctx = &s.ctx;
	cr_assert_eq(loop_create(&ctx->loop), 0);
	ctx->helper = ctx->loop;
	cr_assert_eq(services_create(ctx), 0);
	for (int i = 0; i < FOLDERS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d%d", i);
		folders[i] = make(NODE_DIR, ctx->nodes.root, name, S_IFDIR | (i % 2 ? 0755 : 0700), 70000);
		for (int j = 0; j < EACH; j++) {
			snprintf(name, sizeof(name), "f%d", j);
			channels[i][j] = make(NODE_FIFO, folders[i], name, S_IFIFO | 0644, 70000);
		}
	}
}

static void stop(void)
{
	services_destroy(ctx);
	loop_destroy(ctx->loop);
	session_stop(&s);
}

TestSuite(channel_list, .init = start, .fini = stop, .timeout = 60);

static void tick(struct loop_task *task)
{
	if (ticker.over)
		return;
	ticker.ticks += ctx->nodes.root->inode->searched > 0;
	if (ticker.ticks == 10 && ticker.meanwhile)
		ticker.meanwhile();
	loop_post(ctx->loop, task);
}

static char *dump(const json_t *stats)
{
	return json_dumps(stats, 0);
}

static void taken(struct collector_waiter *w)
{
	cr_assert_eq(w->err, 0);
	text = w->text;
	ticker.over = true;
	loop_stop(ctx->loop);
}

/* The channels that are told of. */
static json_t *take(uid_t uid)
{
	json_t *stats, *list;

	ticker.task.run = tick;
	waiter = (struct collector_waiter){ .rights = { .uid = uid }, .make = dump, .done = taken };
	if (uid == 0)
		waiter.rights.caps = ~0ull;
	collector_want(ctx->services->collector, &waiter);
	loop_post(ctx->loop, &ticker.task);
	cr_assert_eq(loop_run(ctx->loop), 0);
	stats = json_loads(text, 0, NULL);
	list = json_incref(json_object_get(stats, "channels"));
	json_decref(stats);
	free(text);
	return list;
}

static unsigned count(const json_t *list, const char *folder)
{
	unsigned n = 0;
	json_t *channel;
	size_t i;

	json_array_foreach(list, i, channel)
		n += !strncmp(json_string_value(json_object_get(channel, "channel")), folder, strlen(folder));
	return n;
}

Test(channel_list, leaves_turns_to_others)
{
	json_t *list = take(0);

	cr_assert_eq(json_array_size(list), FOLDERS * EACH);
	cr_assert_geq(ticker.ticks, FOLDERS * EACH / TURNS_THINGS);
	json_decref(list);
}

Test(channel_list, tells_of_what_can_be_reached)
{
	json_t *list = take(70001);

	cr_assert_eq(json_array_size(list), FOLDERS / 2 * EACH);
	cr_assert_eq(count(list, "/d1/"), EACH);
	cr_assert_eq(count(list, "/d2/"), 0);
	json_decref(list);
}

static void remove_and_move(void)
{
	for (int j = 0; j < EACH; j++) {
		struct node *gone = channels[FOLDERS - 1][j];

		gone->inode->origin = NULL;
		node_detach(&ctx->nodes, gone);
		node_release(&ctx->nodes, gone);
	}
	/* What has been told of goes behind, and what has not to the front. */
	node_move(&ctx->nodes, folders[0], folders[FOLDERS - 2], strdup("behind"));
	node_move(&ctx->nodes, folders[FOLDERS - 3], folders[1], strdup("before"));
	for (int j = 0; j < EACH; j++) {
		char name[32];

		snprintf(name, sizeof(name), "late%d", j);
		make(NODE_FIFO, ctx->nodes.root, name, S_IFIFO | 0644, 70000);
	}
}

Test(channel_list, tells_once_of_each_that_stays)
{
	json_t *list;

	ticker.meanwhile = remove_and_move;
	list = take(0);
	cr_assert_eq(json_array_size(list), (FOLDERS - 1) * EACH);
	cr_assert_eq(count(list, "/d1/before/"), EACH);
	cr_assert_eq(count(list, "/late"), 0);
	json_decref(list);
}
