#include "channel-list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "access.h"
#include "entries.h"
#include "json.h"
#include "base.h"
#include "clock.h"
#include "engine.h"
#include "ports.h"
#include "services.h"

/* ---- which channels ---- */

static int channel_list_add(struct channel_list *list, struct context *ctx, struct inode *inode)
{
	struct channel_list_entry *e;
	int err;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;

		e = realloc(list->entries, room * sizeof(*e));
		if (!e)
			return -ENOMEM;
		list->entries = e;
		list->room = room;
	}
	e = &list->entries[list->count++];
	*e = (struct channel_list_entry){ 0 };
	err = hold_take_inode(&e->hold, ctx, inode);
	if (err < 0)
		return err;
	e->channel = hold_channel(&e->hold);
	return channel_stats_take(&e->stats, ctx->services->scan, inode);
}

/* Whether @node is the first name of its channel that the walk meets: the channel is told of once. */
static bool channel_list_is_first(const struct node *node, uint64_t number)
{
	if (node->inode->collected == number)
		return false;
	node->inode->collected = number;
	return true;
}

/* Folders may be nested deeply, so no call for each. */
static int channel_list_walk(struct channel_list *list, struct context *ctx, const struct rights *r, uint64_t number)
{
	struct node *dir = ctx->nodes.root;
	struct node *node = access_check(r, dir->inode, X_OK) == 0 ? entries_after(&dir->entries, 0) : NULL;
	int err = 0;

	while (err == 0) {
		if (!node) {
			if (!dir->parent)
				return 0;
			node = entries_next(dir);
			dir = dir->parent;
			continue;
		}
		if (node->kind == NODE_DIR && access_check(r, node->inode, X_OK) == 0) {
			dir = node;
			node = entries_after(&dir->entries, 0);
			continue;
		}
		if (node->kind == NODE_FIFO && !node->pending && ports_may_tell(r, node->inode) == 0 &&
		    channel_list_is_first(node, number))
			err = channel_list_add(list, ctx, node->inode);
		node = entries_next(node);
	}
	return err;
}

int channel_list_take(struct channel_list *list, struct context *ctx, const struct rights *r, uint64_t number)
{
	int err = accounts_report(ctx, r, &list->users, &list->user_count);

	while (engine_worker(ctx->engine, (unsigned)list->workers))
		list->workers++;
	list->uptime = (double)(clock_nsec() - ctx->started) / NSEC_PER_SEC;
	return err < 0 ? err : channel_list_walk(list, ctx, r, number);
}

void channel_list_release(struct channel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		hold_drop(&list->entries[i].hold);
}

void channel_list_finish(struct channel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		channel_stats_finish(&list->entries[i].stats);
	free(list->entries);
	free(list->users);
	*list = (struct channel_list){ 0 };
}

/* ---- JSON ---- */

static size_t channel_list_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 3; /* ".", ".." and this one */
}

static json_t *channel_list_engine_json(const struct channel_list *list)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	return json_pack("{so so so}", "workers", json_of_number(list->workers), "fds",
			 json_of_number(channel_list_count_fds()), "fds_max", json_of_number(limit.rlim_cur));
}

static json_t *channel_list_users_json(const struct channel_list *list)
{
	json_t *users = json_array();

	for (size_t i = 0; i < list->user_count; i++)
		json_array_append_new(users, account_report_json(&list->users[i]));
	return users;
}

json_t *channel_list_json(const struct channel_list *list, const char *mountpoint)
{
	json_t *channels = json_array();

	for (size_t i = 0; i < list->count; i++)
		if (json_array_append_new(channels, channel_stats_json_full(&list->entries[i].stats)) < 0) {
			json_decref(channels);
			return NULL;
		}
	return json_pack("{ss so sf so so so}", "version", SPFS_VERSION, "mount", json_of_text(mountpoint), "uptime",
			 list->uptime, "engine", channel_list_engine_json(list), "users", channel_list_users_json(list),
			 "channels", channels);
}
