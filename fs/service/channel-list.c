/*
 * Channels are gone through in turns, by their numbers, which only grow; so the list ends with those that were there at its
 * beginning, and is through whatever others make meanwhile.
 */
#include "channel-list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "access.h"
#include "base.h"
#include "channels.h"
#include "clock.h"
#include "engine.h"
#include "json.h"
#include "ports.h"
#include "services.h"

/* ---- who may know of what ---- */

/*
 * Whether who asks may search @dir, and every folder on the way to it. What is found out of each stays there for this
 * list, so no folder is asked about twice.
 */
static bool channel_list_reaches(const struct channel_list *list, const struct node *dir, unsigned *things)
{
	const struct node *refuses = NULL, *known = dir;
	bool above;

	for (; known && known->inode->searched != list->number; known = known->parent) {
		if (access_check(list->rights, known->inode, X_OK) < 0)
			refuses = known;
		++*things;
	}
	above = !known || known->inode->searchable;
	for (const struct node *d = dir; d != known; d = d->parent) {
		d->inode->searched = list->number;
		d->inode->searchable = above && !refuses;
		if (d == refuses)
			refuses = NULL;
	}
	return dir->inode->searchable;
}

/* ---- which channels ---- */

static int channel_list_begin_channel(struct channel_list *list, struct inode *inode)
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
	e = &list->entries[list->count];
	*e = (struct channel_list_entry){ 0 };
	err = hold_take_inode(&e->hold, list->ctx, inode);
	if (err < 0)
		return err;
	list->taking = true;
	list->reached = false;
	return channel_stats_begin(&e->stats, &e->hold);
}

/* All names of the one under way are taken: it is the list's, if any of them can be reached. */
static void channel_list_end_channel(struct channel_list *list, struct channel_list_entry **added)
{
	struct channel_list_entry *e = &list->entries[list->count];

	list->taking = false;
	if (!list->reached) {
		channel_stats_finish(&e->stats);
		hold_drop(&e->hold);
		return;
	}
	list->count++;
	e->channel = hold_channel(&e->hold);
	if (!e->channel || hold_stands(&e->hold))
		hold_drop(&e->hold);
	*added = e;
}

/* The next channel that who asks may be told of. */
static int channel_list_next_channel(struct channel_list *list)
{
	struct inode *inode = channels_after(&list->ctx->nodes.channels, list->last);
	int err = 0;

	if (!inode || inode->ino > list->upto)
		return 0;
	list->last = inode->ino;
	if (inode->names && ports_may_tell(list->rights, inode) == 0)
		err = channel_list_begin_channel(list, inode);
	return err < 0 ? err : 1;
}

int channel_list_step(struct channel_list *list, struct channel_list_entry **added)
{
	struct channel_list_entry *e = &list->entries[list->count];
	const struct node *name;
	unsigned more = 0;
	int things;

	*added = NULL;
	if (!list->taking)
		return channel_list_next_channel(list);
	things = channel_stats_step(&e->stats, list->ctx->services->scan, e->hold.inode, &name);
	if (things < 0)
		return things;
	if (things == 0) {
		channel_list_end_channel(list, added);
		return 1;
	}
	if (name && !list->reached)
		list->reached = channel_list_reaches(list, name->parent, &more);
	return things + (int)more;
}

int channel_list_begin(struct channel_list *list, struct context *ctx, const struct rights *r, uint64_t number)
{
	struct worker *w = NULL;

	*list = (struct channel_list){ .ctx = ctx, .rights = r, .number = number, .upto = ctx->nodes.next_ino };
	while ((w = engine_next(ctx->engine, w)))
		list->workers += !w->leaving;
	list->uptime = (double)(clock_nsec() - ctx->started) / NSEC_PER_SEC;
	return accounts_report(ctx, r, &list->users, &list->user_count);
}

void channel_list_end(struct channel_list *list)
{
	if (list->taking) {
		channel_stats_finish(&list->entries[list->count].stats);
		hold_drop(&list->entries[list->count].hold);
	}
	list->taking = false;
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
