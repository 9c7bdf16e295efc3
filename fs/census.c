/*
 * The FUSE thread chooses the channels and keeps their objects meanwhile; the workers add the reports; the helper
 * makes the text. At the end of the daemon (server.left) nothing further is posted anywhere, and whoever waits is
 * told so by what comes back.
 */
#include "census.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "access.h"
#include "answer.h"
#include "base.h"
#include "channel.h"
#include "engine.h"
#include "inode.h"
#include "ports.h"
#include "report.h"
#include "server.h"
#include "tally.h"
#include "tee.h"

/* Reports that a worker makes before others have a turn. */
#define TURN_REPORTS 128

TAILQ_HEAD(waiters, census_waiter);

struct entry {
	struct inode *inode;
	struct channel *channel; /* NULL: there is nothing to report */
	struct tally tally;
};

/* A worker's part. */
struct share {
	struct job job;
	struct census *census;
	struct worker *worker;
	size_t at; /* entries before are done */
};

struct user {
	uid_t uid;
	uint64_t used, limit;
};

struct census {
	struct server *server;
	struct job job;
	struct survey_waiter survey;
	bool running;
	struct waiters queue;
	struct waiters served; /* for whom it is taken */
	int err;
	uint64_t number;
	double started; /* the mount */

	struct entry *entries;
	size_t count;
	size_t room;
	struct share *shares;
	size_t share_count;
	size_t pending; /* shares */
	struct user *users;
	size_t user_count;
	double uptime; /* seconds */
};

static void next(struct census *c);

/* In seconds. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void finish_waiters(struct waiters *list, int err)
{
	struct census_waiter *w;

	while ((w = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, w, entry);
		if (err < 0) {
			free(w->text);
			w->text = NULL;
			w->err = err;
		}
		w->done(w);
	}
}

/* On the FUSE thread, however it went. */
static void end(struct census *c, int err)
{
	for (size_t i = 0; i < c->count; i++)
		tally_finish(&c->entries[i].tally);
	free(c->entries);
	free(c->shares);
	free(c->users);
	c->entries = NULL;
	c->shares = NULL;
	c->users = NULL;
	c->count = c->room = c->share_count = c->user_count = 0;
	c->running = false;
	finish_waiters(&c->served, err);
	next(c);
}

/* ---- the text, on the helper ---- */

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

static json_t *engine_json(const struct census *c)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	return json_pack("{so so so}",
			 "workers", answer_number(c->share_count),
			 "fds", answer_number(count_fds()),
			 "fds_max", answer_number(limit.rlim_cur));
}

static json_t *users_json(const struct census *c)
{
	json_t *users = json_array();

	for (size_t i = 0; i < c->user_count; i++) {
		const struct user *u = &c->users[i];

		json_array_append_new(users, json_pack("{so so so}", "uid", answer_number(u->uid),
						       "used", answer_number(u->used),
						       "limit", u->limit ? answer_number(u->limit) : json_null()));
	}
	return users;
}

static json_t *census_json(const struct census *c)
{
	json_t *channels = json_array();

	for (size_t i = 0; i < c->count; i++)
		if (json_array_append_new(channels, tally_json_full(&c->entries[i].tally)) < 0) {
			json_decref(channels);
			return NULL;
		}
	return json_pack("{ss so sf so so so}",
			 "version", SPFS_VERSION,
			 "mount", answer_text(c->server->mountpoint),
			 "uptime", c->uptime,
			 "engine", engine_json(c),
			 "users", users_json(c),
			 "channels", channels);
}

static void work_text(struct job *job)
{
	struct census *c = container_of(job, struct census, job);
	json_t *stats = census_json(c);
	struct census_waiter *w;

	TAILQ_FOREACH(w, &c->served, entry) {
		w->text = stats ? w->make(stats) : NULL;
		w->err = w->text ? 0 : -ENOMEM;
	}
	json_decref(stats);
}

static void finish_text(struct job *job)
{
	end(container_of(job, struct census, job), 0);
}

/* ---- the reports, on the workers ---- */

static void work_share(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct census *c = sh->census;

	for (unsigned n = 0; sh->at < c->count && n < TURN_REPORTS; sh->at++) {
		struct entry *e = &c->entries[sh->at];

		if (!e->channel || e->channel->worker != sh->worker)
			continue;
		e->tally.report = report_create(e->channel);
		n++;
	}
}

static void reported(struct census *c)
{
	struct server *s = c->server;

	for (size_t i = 0; i < c->count; i++) {
		struct entry *e = &c->entries[i];

		if (e->channel && !e->tally.report)
			c->err = -ENOMEM;
		e->inode->busy--;
		tee_channel_put(s, e->inode);
		inode_put(e->inode);
	}
	if (s->left)
		end(c, -ENOTCONN);
	else if (c->err < 0)
		end(c, c->err);
	else
		job_post(s, s->helper, &c->job, work_text, finish_text);
}

static void finish_share(struct job *job)
{
	struct share *sh = container_of(job, struct share, job);
	struct census *c = sh->census;

	if (sh->at < c->count && !c->server->left)
		job_post(c->server, sh->worker->loop, job, work_share, finish_share);
	else if (--c->pending == 0)
		reported(c);
}

static void ask_workers(struct census *c)
{
	struct worker *w;
	size_t n = 0;

	while (engine_worker(c->server->engine, (unsigned)n))
		n++;
	c->shares = calloc(n, sizeof(*c->shares));
	if (!c->shares) {
		c->err = -ENOMEM;
		reported(c);
		return;
	}
	c->share_count = c->pending = n;
	for (size_t i = 0; (w = engine_worker(c->server->engine, (unsigned)i)); i++) {
		c->shares[i] = (struct share){ .census = c, .worker = w };
		job_post(c->server, w->loop, &c->shares[i].job, work_share, finish_share);
	}
}

/* ---- which channels, on the FUSE thread ---- */

static int add(struct census *c, struct inode *inode)
{
	struct entry *e;

	if (c->count == c->room) {
		size_t room = c->room ? 2 * c->room : 64;

		e = realloc(c->entries, room * sizeof(*e));
		if (!e)
			return -ENOMEM;
		c->entries = e;
		c->room = room;
	}
	e = &c->entries[c->count++];
	*e = (struct entry){ .inode = inode, .channel = inode->channel };
	inode->refs++;
	inode->busy++;
	return tally_take(&e->tally, c->server->survey, inode);
}

/* Whether @node is the first name of its channel that the walk meets: the channel is told of once. */
static bool is_first(struct census *c, const struct node *node)
{
	if (node->inode->census == c->number)
		return false;
	node->inode->census = c->number;
	return true;
}

/* Folders may be nested deeply, so no call for each. */
static int walk(struct census *c, const struct rights *r)
{
	struct node *dir = c->server->nodes.root;
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
		    is_first(c, node))
			err = add(c, node->inode);
		node = TAILQ_NEXT(node, entry);
	}
	return err;
}

static int take_users(struct census *c, const struct rights *r)
{
	const struct account *a;
	size_t n = 0;

	SLIST_FOREACH(a, &c->server->accounts, entry)
		n++;
	c->users = calloc(n + 1, sizeof(*c->users));
	if (!c->users)
		return -ENOMEM;
	SLIST_FOREACH(a, &c->server->accounts, entry)
		if (r->uid == 0 || r->uid == a->uid)
			c->users[c->user_count++] = (struct user){ a->uid, a->used, a->limit };
	return 0;
}

static void surveyed(struct survey_waiter *w)
{
	struct census *c = container_of(w, struct census, survey);
	const struct rights *r = &TAILQ_FIRST(&c->served)->rights;

	if (c->server->left) {
		end(c, -ENOTCONN);
		return;
	}
	c->number++;
	c->uptime = now() - c->started;
	c->err = take_users(c, r);
	if (c->err == 0)
		c->err = walk(c, r);
	if (c->err == 0)
		ask_workers(c);
	else
		reported(c);
}

/* ---- who waits ---- */

static bool same_rights(const struct rights *a, const struct rights *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->count == b->count &&
	       (!a->count || !memcmp(a->groups, b->groups, a->count * sizeof(a->groups[0])));
}

static void next(struct census *c)
{
	struct census_waiter *first = TAILQ_FIRST(&c->queue), *w, *after;

	if (c->running || !first)
		return;
	if (c->server->left) {
		finish_waiters(&c->queue, -ENOTCONN);
		return;
	}
	c->running = true;
	for (w = first; w; w = after) {
		after = TAILQ_NEXT(w, entry);
		if (same_rights(&w->rights, &first->rights)) {
			TAILQ_REMOVE(&c->queue, w, entry);
			TAILQ_INSERT_TAIL(&c->served, w, entry);
		}
	}
	c->survey.done = surveyed;
	survey_want(c->server->survey, &c->survey);
}

void census_want(struct census *c, struct census_waiter *w)
{
	TAILQ_INSERT_TAIL(&c->queue, w, entry);
	next(c);
}

int census_create(struct census **out, struct server *s)
{
	struct census *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->server = s;
	c->started = now();
	TAILQ_INIT(&c->queue);
	TAILQ_INIT(&c->served);
	*out = c;
	return 0;
}

void census_destroy(struct census *c)
{
	free(c);
}
