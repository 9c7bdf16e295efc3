/*
 * A question keeps its node and the channel object until it is done, but not the name: a tap that loses it meanwhile is
 * ENOENT. All on the FUSE thread but work_set() and work_get(), which run on the channel's worker.
 */
#include "settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "channel.h"
#include "config.h"
#include "engine.h"
#include "inode.h"
#include "log.h"
#include "tee.h"

int settings_limits(struct server *s, const struct rights *r, const struct inode *inode, struct limits *limits)
{
	limits->settings = s->defaults;
	limits->account = account_of_caller(s, r);
	if (access_check(r, inode, W_OK) < 0)
		limits->settings.value[SETTING_POLICY] = POLICY_DROP_OLD;
	return limits->account ? 0 : -ENOMEM;
}

/* What the kernel gives a FIFO (pipe(7)). */
#define FIFO_SIZE 65536

/* ---- what has which ---- */

static unsigned kind_of(const struct server *s, const struct node *node)
{
	if (node == s->nodes.root)
		return SETTING_OF_MOUNT;
	if (!node_is_channel(node))
		return 0;
	return node_is_tap(node) ? SETTING_OF_TAP : SETTING_OF_CHANNEL;
}

bool settings_has(const struct server *s, const struct node *node, enum setting_key key)
{
	return settings_table[key].of & kind_of(s, node);
}

__attribute__((format(printf, 3, 4)))
static int refuse(struct settings_ask *a, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, ap);
	va_end(ap);
	return err;
}

static const char *place_of(enum setting_key key)
{
	switch (settings_table[key].of) {
	case SETTING_OF_MOUNT:
		return "the mount's root folder";
	case SETTING_OF_TAP:
		return "a tap's name";
	case SETTING_OF_CHANNEL:
		return "the channel's first name, the origin";
	default:
		return "a channel's names";
	}
}

int settings_add(struct settings_ask *a, const char *name, const char *text)
{
	char why[SETTING_TEXT_MAX];
	int key = setting_find(name);
	int err;

	if (key < 0)
		return refuse(a, -EINVAL, "%.32s: there is no such setting", name);
	if (!settings_has(a->server, a->node, (enum setting_key)key))
		return refuse(a, -EINVAL, "%s: belongs to %s", name, place_of((enum setting_key)key));
	err = setting_parse((enum setting_key)key, text, &a->value[key], why);
	if (err < 0)
		return refuse(a, err, "%s: %s", name, why);
	a->has[key] = true;
	return 0;
}

void settings_log(const struct settings_ask *a)
{
	const struct node *node = a->node;
	_cleanup_free_ char *path = node_path(node->kind == NODE_HANDLE && node->inode->origin ? node->inode->origin :
												 node);

	log_info("%s: set %s", path ? path : "?", a->why);
}

/* ---- the way to the worker and back ---- */

static void finish(struct settings_ask *a)
{
	struct server *s = a->server;
	struct node *node = a->node;
	struct inode *inode = node->inode;

	inode->refs++;
	inode->busy--;
	node->pins--;
	a->done(a);
	node_release(&s->nodes, node);
	tee_channel_put(s, inode);
	inode_put(inode);
}

static void begin(struct settings_ask *a)
{
	a->node->pins++;
	a->node->inode->busy++;
	a->err = 0;
	a->tap = node_is_tap(a->node) ? a->node->id : 0;
}

/* Whether the kernel alone moves the channel's bytes, as far as names tell. */
static bool is_plain(const struct node *node)
{
	return node_is_channel(node) && !node_is_tap(node) && !node->inode->taps;
}

/* ---- setting ---- */

static int refuse_worker(struct settings_ask *a, enum setting_key key, int err)
{
	return refuse(a, err, "%s: %s", settings_table[key].name,
		      err == -EBUSY ? "the ring holds more than that" :
		      err == -EDQUOT ? "the quota of who made it is used up, or it is more than the memory" :
		      err == -ENOENT ? "the name has gone" : strerror(-err));
}

static void work_set(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	for (int key = 0; a->err == 0 && key < SETTINGS; key++) {
		if (!a->has[key])
			continue;
		a->err = channel_set(a->channel, a->tap, (enum setting_key)key, a->value[key]);
		if (a->err < 0)
			refuse_worker(a, (enum setting_key)key, a->err);
	}
}

static void finish_set(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	if (a->err < 0)
		settings_log(a);
	finish(a);
}

static int check(struct settings_ask *a, const struct rights *r)
{
	const struct node *node = a->node;
	bool writes = access_check(r, node->inode, W_OK) == 0;

	if (a->server->left)
		return refuse(a, -ENOTCONN, "%s", strerror(ENOTCONN));
	if (node == a->server->nodes.root)
		return r->uid == 0 || r->uid == geteuid() ? 0 :
		       refuse(a, -EACCES, "the mount's settings: for root and the daemon's user");
	if (!writes && !(node_is_tap(node) && r->uid == node->maker))
		return refuse(a, -EACCES, node_is_tap(node) ? "user %u has neither made the tap nor may write the channel" :
							      "user %u has no right to write the channel", r->uid);
	if (!writes && a->has[SETTING_POLICY] && a->value[SETTING_POLICY] == POLICY_BLOCK)
		return refuse(a, -EACCES, "policy: who may not write the channel cannot hold its writer back");
	return 0;
}

static void set_mount(struct settings_ask *a)
{
	if (!a->has[SETTING_QUOTA])
		return;
	a->server->config->quotas.preset = a->server->quotas.preset = a->value[SETTING_QUOTA];
	accounts_limit(a->server);
}

/* The ring that others have open has the size now: so it is remembered. */
static void resized(struct ring_resize *ring)
{
	struct settings_ask *a = container_of(ring, struct settings_ask, ring);

	a->channel = a->node->inode->channel; /* none any more at the daemon's end */
	if (ring->err == 0 && a->channel) {
		job_post(a->server, a->channel->worker->loop, &a->job, work_set, finish_set);
		return;
	}
	a->err = refuse_worker(a, SETTING_SIZE, ring->err < 0 ? ring->err : -ENOTCONN);
	settings_log(a);
	finish(a);
}

static void to_worker(struct settings_ask *a)
{
	a->channel = a->node->inode->channel;
	if (a->has[SETTING_SIZE] && is_plain(a->node))
		ring_resize_start(&a->ring, a->server, a->node, (int)a->value[SETTING_SIZE], resized);
	else
		job_post(a->server, a->channel->worker->loop, &a->job, work_set, finish_set);
}

/* The channel has messages now, or none any more; the other settings follow. */
static void switched(struct packets_change *c, int err)
{
	struct settings_ask *a = container_of(c, struct settings_ask, packets);

	a->has[SETTING_PACKETS] = false;
	if (err == 0) {
		to_worker(a);
		return;
	}
	a->err = refuse(a, err, "packets: %s", err == -EBUSY ?
			"somebody has the channel open, it has ports, or data waits in it" : strerror(-err));
	settings_log(a);
	finish(a);
}

void settings_set(struct settings_ask *a, const struct rights *r)
{
	struct server *s = a->server;

	begin(a);
	a->err = check(a, r);
	if (a->err == 0 && a->node == s->nodes.root) {
		set_mount(a);
		finish(a);
		return;
	}
	if (a->err == 0) {
		a->err = tee_channel(s, a->node);
		if (a->err < 0)
			refuse(a, a->err, "%s", a->err == -EDQUOT ? "the quota of the channel's owner is used up" :
								    strerror(-a->err));
	}
	if (a->err < 0) {
		settings_log(a);
		finish(a);
		return;
	}
	if (a->has[SETTING_PACKETS]) {
		a->packets = (struct packets_change){ .on = a->value[SETTING_PACKETS], .done = switched };
		packets_set(s, a->node, &a->packets);
	} else {
		to_worker(a);
	}
}

/* ---- getting ---- */

static void work_get(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	for (int key = 0; a->err == 0 && key < SETTINGS; key++)
		if (a->has[key])
			a->err = channel_get(a->channel, a->tap, (enum setting_key)key, &a->value[key]);
	if (a->err < 0)
		refuse(a, a->err, "%s", strerror(-a->err));
}

/* Of a ring that nobody has open, its size is what it will be. */
static void looked(struct ring_resize *ring)
{
	struct settings_ask *a = container_of(ring, struct settings_ask, ring);

	if (ring->granted > 0)
		a->value[SETTING_SIZE] = (uint64_t)ring->granted;
	else if (!a->value[SETTING_SIZE])
		a->value[SETTING_SIZE] = FIFO_SIZE;
	finish(a);
}

static void look(struct settings_ask *a)
{
	if (a->err == 0 && is_plain(a->node))
		ring_resize_start(&a->ring, a->server, a->node, 0, looked);
	else
		finish(a);
}

static void finish_get(struct job *job)
{
	look(container_of(job, struct settings_ask, job));
}

void settings_get(struct settings_ask *a)
{
	struct server *s = a->server;

	begin(a);
	for (int key = 0; key < SETTINGS; key++)
		a->has[key] = settings_has(s, a->node, (enum setting_key)key);
	a->channel = a->node->inode->channel;
	if (a->channel) {
		job_post(s, a->channel->worker->loop, &a->job, work_get, finish_get);
		return;
	}
	memcpy(a->value, s->defaults.value, sizeof(a->value));
	a->value[SETTING_PACKETS] = a->node->inode->packets;
	a->value[SETTING_QUOTA] = s->quotas.preset;
	look(a);
}
