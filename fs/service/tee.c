#include "tee.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "channel.h"
#include "dir.h"
#include "inode.h"
#include "engine.h"
#include "events.h"
#include "log.h"
#include "packets.h"
#include "settings.h"

struct tee_job {
	struct job job;
	fuse_req_t req; /* NULL: nobody waits */
	struct channel *channel;
	struct inode *inode;
	struct node *node;
	uint64_t id;
	struct limits limits; /* of a tap to be made */
	struct node *shown; /* what stands for it in the answer to link(2); NULL: another answer */
	int err;
};

static int channel_with(struct server *s, struct node *node, const struct settings *settings)
{
	struct limits limits = { .settings = *settings };
	struct inode *inode = node->inode;
	_cleanup_free_ char *path = NULL;

	if (inode->channel)
		return 0;
	if (!s->engine) /* not before the mount has answered */
		return -EBADF;
	path = node_path(node);
	limits.settings.value[SETTING_PACKETS] = inode->packets;
	limits.account = account_of_user(s, inode->uid);
	if (!path || !limits.account)
		return -ENOMEM;
	return channel_create(&inode->channel, engine_next_worker(s->engine),
			      inode->origin ? inode->origin->id : node->id, path, &limits);
}

int tee_channel(struct server *s, struct node *node)
{
	return channel_with(s, node, &s->defaults);
}

static struct tee_job *job_new(struct inode *inode, uint64_t id)
{
	struct tee_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->inode = inode;
	j->channel = inode->channel;
	j->id = id;
	return j;
}

static void post(struct server *s, struct tee_job *j, void (*work)(struct job *), void (*finish)(struct job *))
{
	j->inode->refs++;
	j->inode->busy++;
	job_post(s, j->channel->worker->loop, &j->job, work, finish);
}

void tee_forget_number(struct server *s, uint64_t id)
{
	char name[FIFO_NAME_MAX];

	fifo_name(name, id);
	fuse_lowlevel_notify_inval_entry(s->session, s->numbers->id, name, strlen(name));
}

/* ---- the end of a channel object ---- */

static void work_destroy(struct job *job)
{
	struct channel *ch = container_of(job, struct tee_job, job)->channel;
	uint64_t origin = ch->origin.id;

	channel_destroy(ch);
	tee_forget_number(job->server, origin);
}

static void finish_free(struct job *job)
{
	free(container_of(job, struct tee_job, job));
}

static void destroy(struct server *s, struct inode *inode)
{
	struct tee_job *j = job_new(inode, 0);

	if (!j)
		return; /* it goes with the daemon's memory */
	inode->channel = NULL;
	job_post(s, j->channel->worker->loop, &j->job, work_destroy, finish_free);
}

void tee_channel_put(struct server *s, struct inode *inode)
{
	if (inode->channel && !inode->names && !inode->busy)
		destroy(s, inode);
}

void tee_leave(struct server *s)
{
	struct node *node;

	for (node = s->nodes.by_id; node; node = node->by_id.next)
		if (node->inode->channel)
			destroy(s, node->inode);
}

static void done(struct tee_job *j)
{
	struct server *s = j->job.server;
	struct inode *inode = j->inode;

	inode->busy--;
	tee_channel_put(s, inode);
	inode_put(inode);
	free(j);
}

/* ---- a new tap ---- */

static void work_add(struct job *job)
{
	struct tee_job *j = container_of(job, struct tee_job, job);

	j->err = channel_add_tap(j->channel, j->id, &j->limits);
	if (j->err < 0)
		tee_forget_number(job->server, j->id);
}

static void finish_add(struct job *job)
{
	struct tee_job *j = container_of(job, struct tee_job, job);
	struct server *s = job->server;
	struct node *node = j->node;

	node->pending = false;
	node->pins--;
	if (j->err < 0) {
		log_err("%s: cannot make tap %s: %s", j->channel->label, node->name, strerror(-j->err));
		node_detach(&s->nodes, node);
		if (j->req)
			fuse_reply_err(j->req, -j->err);
		node_release(&s->nodes, node);
	} else if (j->shown) {
		struct fuse_entry_param e;

		dir_entry(j->shown, &e);
		if (fuse_reply_entry(j->req, &e) == -ENOENT)
			j->shown->lookups--;
	} else if (j->req) {
		fuse_reply_err(j->req, 0);
	}
	if (j->shown && j->shown != node)
		node_release(&s->nodes, j->shown);
	done(j);
}

/* link(2) is to be answered with a node of the type that was linked; the next look-up finds the tap. */
static struct node *shown(struct server *s, const struct node *linked, struct node *tap)
{
	return linked->kind == NODE_HANDLE ? packets_stand_in(s, tap->inode, NODE_HANDLE) : tap;
}

/* @req: as in tee_add(), or NULL. Returns 0, and then finish_add() answers; or a negative errno. */
static int make(struct server *s, fuse_req_t req, struct node *node, struct node *dir, const char *name, bool entry,
		const struct limits *limits, uid_t maker)
{
	struct tee_job *j = NULL;
	struct node *tap = NULL;
	int err = s->left ? -ENOTCONN : tee_channel(s, node->inode->origin);

	if (err < 0)
		return err;
	tap = node_create(&s->nodes, NODE_FIFO, node->inode, 0, 0, 0);
	if (!tap)
		return -ENOMEM;
	j = job_new(node->inode, tap->id);
	if (j && entry)
		j->shown = shown(s, node, tap);
	err = j && (!entry || j->shown) ? node_attach(&s->nodes, tap, dir, name) : -ENOMEM;
	if (err < 0) {
		if (j && j->shown && j->shown != tap)
			node_release(&s->nodes, j->shown);
		node_release(&s->nodes, tap);
		free(j);
		return err;
	}
	tap->pending = true;
	tap->pins++;
	tap->maker = maker;
	j->limits = *limits;
	j->req = req;
	j->node = tap;
	post(s, j, work_add, finish_add);
	return 0;
}

void tee_add(fuse_req_t req, struct node *node, struct node *dir, const char *name, bool entry)
{
	struct server *s = server_of(req);
	_cleanup_rights_ struct rights rights = { 0 };
	struct limits limits;
	int err;

	if (!node->inode->origin) {
		log_info("link %s: the channel's origin is gone, no stream can follow", name);
		fuse_reply_err(req, ENOENT);
		return;
	}
	err = access_rights(req, &rights);
	if (err == 0)
		err = settings_limits(s, &rights, node->inode, &limits);
	if (err == 0)
		err = make(s, req, node, dir, name, entry, &limits, rights.uid);
	if (err == -EDQUOT)
		log_info("link %s: the quota of user %u, whose channel it is, is used up", name, node->inode->uid);
	if (err < 0)
		fuse_reply_err(req, -err);
}

int tee_declare(struct server *s, struct node *node, struct node *dir, const char *name,
		const struct settings *settings)
{
	uid_t owner = node->inode->uid;
	struct limits limits = { .settings = *settings, .account = account_of_user(s, owner) };

	return limits.account ? make(s, NULL, node, dir, name, false, &limits, owner) : -ENOMEM;
}

void tee_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	struct server *s = server_of(req);
	struct node *node = node_get(&s->nodes, ino);
	struct node *dir;
	int err = 0;

	dir = dir_for_new(s, newparent, newname, &err);
	if (dir && (!node || !(node->kind == NODE_FIFO || (node->kind == NODE_HANDLE && node->inode->packets))))
		err = node ? EPERM : ENOENT;
	if (err)
		fuse_reply_err(req, err);
	else
		tee_add(req, node, dir, newname, true);
}

/* ---- what needs no tap ---- */

static void work_begin(struct job *job)
{
	struct tee_job *j = container_of(job, struct tee_job, job);

	j->err = channel_start(j->channel);
}

static void finish_begin(struct job *job)
{
	struct tee_job *j = container_of(job, struct tee_job, job);

	if (j->err < 0)
		log_err("%s: its end comes with each writer's: %s", j->channel->label, strerror(-j->err));
	done(j);
}

int tee_begin(struct server *s, struct node *node, const struct settings *settings)
{
	int err = channel_with(s, node, settings);
	struct tee_job *j = err < 0 ? NULL : job_new(node->inode, 0);

	if (!j)
		return err < 0 ? err : -ENOMEM;
	post(s, j, work_begin, finish_begin);
	return 0;
}

/* ---- a name less ---- */

static void work_remove(struct job *job)
{
	struct tee_job *j = container_of(job, struct tee_job, job);

	channel_remove_tap(j->channel, j->id);
	tee_forget_number(job->server, j->id);
}

static void work_origin_gone(struct job *job)
{
	channel_origin_gone(container_of(job, struct tee_job, job)->channel);
}

static void finish_done(struct job *job)
{
	done(container_of(job, struct tee_job, job));
}

void tee_name_gone(struct server *s, struct node *node, bool tap)
{
	struct inode *inode = node->inode;
	struct tee_job *j;

	if (!tap)
		inode->origin = NULL;
	if (!inode->channel)
		return;
	j = job_new(inode, node->id);
	if (!j) {
		log_err("out of memory; a removed name keeps its data until the daemon ends");
		return;
	}
	post(s, j, tap ? work_remove : work_origin_gone, finish_done);
	if (!inode->names)
		events_gone(s, inode);
}
