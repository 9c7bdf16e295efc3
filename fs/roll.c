#include "roll.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "access.h"
#include "answer.h"
#include "base.h"
#include "engine.h"
#include "inode.h"
#include "ports.h"
#include "server.h"
#include "tee.h"

/* In seconds. */
static double since(const struct timespec *start)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)(ts.tv_sec - start->tv_sec) + (double)(ts.tv_nsec - start->tv_nsec) / 1e9;
}

/* ---- which channels ---- */

static int add(struct roll *roll, struct server *s, struct inode *inode)
{
	struct roll_entry *e;

	if (roll->count == roll->room) {
		size_t room = roll->room ? 2 * roll->room : 64;

		e = realloc(roll->entries, room * sizeof(*e));
		if (!e)
			return -ENOMEM;
		roll->entries = e;
		roll->room = room;
	}
	e = &roll->entries[roll->count++];
	*e = (struct roll_entry){ .inode = inode, .channel = inode->channel };
	inode->refs++;
	inode->busy++;
	return tally_take(&e->tally, s->survey, inode);
}

/* Whether @node is the first name of its channel that the walk meets: the channel is told of once. */
static bool is_first(const struct node *node, uint64_t number)
{
	if (node->inode->census == number)
		return false;
	node->inode->census = number;
	return true;
}

/* Folders may be nested deeply, so no call for each. */
static int walk(struct roll *roll, struct server *s, const struct rights *r, uint64_t number)
{
	struct node *dir = s->nodes.root;
	struct node *node = access_check(r, dir->inode, X_OK) == 0 ? TAILQ_FIRST(&dir->list) : NULL;
	int err = 0;

	while (err == 0) {
		if (!node) {
			if (!dir->parent)
				return 0;
			node = TAILQ_NEXT(dir, entry);
			dir = dir->parent;
			continue;
		}
		if (node->kind == NODE_DIR && access_check(r, node->inode, X_OK) == 0) {
			dir = node;
			node = TAILQ_FIRST(&dir->list);
			continue;
		}
		if (node->kind == NODE_FIFO && !node->pending && ports_may_tell(r, node->inode) == 0 &&
		    is_first(node, number))
			err = add(roll, s, node->inode);
		node = TAILQ_NEXT(node, entry);
	}
	return err;
}

static int take_users(struct roll *roll, struct server *s, const struct rights *r)
{
	const struct account *a;
	size_t n = 0;

	SLIST_FOREACH(a, &s->accounts, entry)
		n++;
	roll->users = calloc(n + 1, sizeof(*roll->users));
	if (!roll->users)
		return -ENOMEM;
	SLIST_FOREACH(a, &s->accounts, entry)
		if (r->uid == 0 || r->uid == a->uid)
			roll->users[roll->user_count++] = (struct roll_user){ a->uid, a->used, a->limit };
	return 0;
}

int roll_take(struct roll *roll, struct server *s, const struct rights *r, uint64_t number)
{
	int err = take_users(roll, s, r);

	while (engine_worker(s->engine, (unsigned)roll->workers))
		roll->workers++;
	roll->uptime = since(&s->started);
	return err < 0 ? err : walk(roll, s, r, number);
}

void roll_release(struct roll *roll, struct server *s)
{
	for (size_t i = 0; i < roll->count; i++) {
		struct inode *inode = roll->entries[i].inode;

		inode->busy--;
		tee_channel_put(s, inode);
		inode_put(inode);
	}
}

void roll_finish(struct roll *roll)
{
	for (size_t i = 0; i < roll->count; i++)
		tally_finish(&roll->entries[i].tally);
	free(roll->entries);
	free(roll->users);
	*roll = (struct roll){ 0 };
}

/* ---- JSON ---- */

static size_t count_fds(void)
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

static json_t *engine_json(const struct roll *roll)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	return json_pack("{so so so}",
			 "workers", answer_number(roll->workers),
			 "fds", answer_number(count_fds()),
			 "fds_max", answer_number(limit.rlim_cur));
}

static json_t *users_json(const struct roll *roll)
{
	json_t *users = json_array();

	for (size_t i = 0; i < roll->user_count; i++) {
		const struct roll_user *u = &roll->users[i];

		json_array_append_new(users, json_pack("{so so so}", "uid", answer_number(u->uid),
						       "used", answer_number(u->used),
						       "limit", u->limit ? answer_number(u->limit) : json_null()));
	}
	return users;
}

json_t *roll_json(const struct roll *roll, const char *mountpoint)
{
	json_t *channels = json_array();

	for (size_t i = 0; i < roll->count; i++)
		if (json_array_append_new(channels, tally_json_full(&roll->entries[i].tally)) < 0) {
			json_decref(channels);
			return NULL;
		}
	return json_pack("{ss so sf so so so}",
			 "version", SPFS_VERSION,
			 "mount", answer_text(mountpoint),
			 "uptime", roll->uptime,
			 "engine", engine_json(roll),
			 "users", users_json(roll),
			 "channels", channels);
}
