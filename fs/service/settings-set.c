/*
 * Setting goes: what needs the whole channel (packets) first; then the ring of a channel without taps, whose opener's
 * descriptor has it (ring-resize.h); then the rest, on the worker, which knows the ring's size then as well.
 */
#include "settings-parts.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "channel.h"
#include "config.h"

static int settings_refuse_key(struct settings_ask *a, enum setting_key key, int err)
{
	return settings_refuse(a, err, "%s: %s", settings_table[key].name,
			       err == -EBUSY  ? "the ring holds more than that" :
			       err == -EDQUOT ? "the quota of who made it is used up, or it is more than the memory" :
			       err == -ENOENT ? "the name has gone" :
			       err == -ETIMEDOUT || err == -EUSERS ? "who has the channel open keeps it locked" :
								     strerror(-err));
}

static void settings_end_set(struct settings_ask *a)
{
	if (a->err < 0)
		settings_log(a);
	settings_end(a);
}

static void settings_work_set(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	for (int key = 0; a->err == 0 && key < SETTINGS; key++) {
		if (!a->has[key])
			continue;
		if (key == SETTING_PROLOGUE && a->prologue)
			a->err = channel_set_prologue(hold_channel(&a->hold), a->prologue,
						      prologue_size(a->value[key]));
		else
			a->err = channel_set(hold_channel(&a->hold), a->tap, (enum setting_key)key, a->value[key]);
		if (a->err < 0)
			settings_refuse_key(a, (enum setting_key)key, a->err);
	}
}

static void settings_was_set(struct settings_ask *a)
{
	if (a->err == 0 && a->has[SETTING_KEEP])
		a->node->inode->keep = a->value[SETTING_KEEP];
	if (a->err == 0 && a->has[SETTING_READERS])
		a->node->inode->readable = a->value[SETTING_READERS] == READERS_ALLOW;
	/* A ring's was known before, and another one may have been asked for meanwhile. */
	if (a->err == 0 && a->has[SETTING_SIZE] && !a->tap && !a->ring.done)
		a->node->inode->ring_size = a->node->inode->ring_granted = (int)a->value[SETTING_SIZE];
	settings_end_set(a);
}

static int settings_check(struct settings_ask *a, const struct rights *r)
{
	const struct node *node = a->node;
	bool writes = r && access_check(r, node->inode, W_OK) == 0;

	if (!setting_fits(a->has, a->value))
		return settings_refuse(a, -EINVAL, SETTING_MISFIT);
	if (!r)
		return 0;
	if (node == a->ctx->nodes.root)
		return r->uid == 0 || r->uid == geteuid() ?
			       0 :
			       settings_refuse(a, -EACCES, "the mount's settings: for root and the daemon's user");
	if (!writes && !(node_is_tap(node) && r->uid == node->maker))
		return settings_refuse(a, -EACCES,
				       node_is_tap(node) ?
					       "user %u has neither made the tap nor may write the channel" :
					       "user %u has no right to write the channel",
				       r->uid);
	/* (its next maker is not asked who has taps by then) */
	if (a->has[SETTING_KEEP] && r->uid != node->inode->uid && !rights_have(r, CAP_FOWNER))
		return settings_refuse(a, -EACCES, "keep: only the channel's owner may have it kept");
	if (!writes && a->has[SETTING_POLICY] && a->value[SETTING_POLICY] == POLICY_BLOCK)
		return settings_refuse(a, -EACCES, "policy: who may not write the channel cannot hold its writer back");
	return 0;
}

static void settings_set_mount(struct settings_ask *a)
{
	struct context *ctx = a->ctx;

	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		if (a->has[setting_of_resource(of)])
			ctx->config->quotas.of[of].preset = ctx->quotas.of[of].preset =
				a->value[setting_of_resource(of)];
	accounts_limit(a->ctx);
}

/* The ring that others have open has the size now: so it is remembered. */
static void settings_ring_resized(struct ring_resize *ring)
{
	struct settings_ask *a = container_of(ring, struct settings_ask, ring);

	if (ring->err == 0) {
		a->node->inode->ring_granted = (int)a->value[SETTING_SIZE];
		settings_post(a, settings_work_set, settings_was_set);
		return;
	}
	if (a->node->inode->ring_size == (int)a->value[SETTING_SIZE])
		a->node->inode->ring_size = a->node->inode->ring_granted;
	a->err = settings_refuse_key(a, SETTING_SIZE, ring->err);
	settings_end_set(a);
}

static void settings_begin_set(struct settings_ask *a)
{
	struct inode *inode = a->node->inode;

	if (!a->has[SETTING_SIZE] || !settings_plain(a->node)) {
		settings_post(a, settings_work_set, settings_was_set);
		return;
	}
	/* From now on: a resizing for somebody's open, which knows the size as it was, may be under way. */
	inode->ring_size = (int)a->value[SETTING_SIZE];
	ring_resize_start(&a->ring, &a->hold, (int)a->value[SETTING_SIZE], a->until, settings_ring_resized);
}

static void settings_packets_late(struct packets_change *c)
{
	struct settings_ask *a = container_of(c, struct settings_ask, packets);

	a->late(a);
}

/* The channel has messages now, or none any more; the other settings follow. */
static void settings_packets_set(struct packets_change *c, int err)
{
	struct settings_ask *a = container_of(c, struct settings_ask, packets);

	a->has[SETTING_PACKETS] = false;
	if (err == 0) {
		settings_begin_set(a);
		return;
	}
	a->err = settings_refuse(a, err, "packets: %s",
				 err == -EBUSY ? "somebody has the channel open, it has ports, or data waits in it" :
						 strerror(-err));
	settings_end_set(a);
}

static void settings_work_flush(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	a->err = channel_flush(hold_channel(&a->hold), a->tap);
	if (a->err < 0)
		settings_refuse(a, a->err, "flush: the name has gone");
}

void settings_flush(struct settings_ask *a, const struct rights *r)
{
	a->err = settings_begin(a);
	if (a->err == 0)
		a->err = settings_check(a, r);
	if (a->err == 0 && hold_stands(&a->hold))
		a->err = settings_refuse(a, -ETIMEDOUT, "flush: the channel's worker does not answer");
	if (a->err == 0 && hold_channel(&a->hold))
		settings_post(a, settings_work_flush, settings_end_set);
	else
		settings_end_set(a); /* (a channel that the daemon has no part in has nothing) */
}

void settings_set(struct settings_ask *a, const struct rights *r)
{
	a->err = settings_begin(a);
	if (a->err == 0)
		a->err = settings_check(a, r);
	if (a->err == 0 && a->node == a->ctx->nodes.root) {
		settings_set_mount(a);
		settings_end(a);
		return;
	}
	if (a->err == 0) {
		a->err = hold_object(&a->hold);
		if (a->err < 0)
			settings_refuse(a, a->err, "%s",
					a->err == -EDQUOT    ? "the quota of the channel's owner is used up" :
					a->err == -ETIMEDOUT ? "the channel's worker does not answer" :
							       strerror(-a->err));
	}
	if (a->err < 0) {
		settings_end_set(a);
	} else if (a->has[SETTING_PACKETS]) {
		a->packets = (struct packets_change){ .on = a->value[SETTING_PACKETS],
						      .until = a->until,
						      .done = settings_packets_set,
						      .late = settings_packets_late };
		packets_set(&a->hold, &a->packets);
	} else {
		settings_begin_set(a);
	}
}
