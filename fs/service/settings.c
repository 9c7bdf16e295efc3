/*
 * A question holds its channel until it is done, but not the name: a tap that loses it meanwhile is ENOENT. All on the
 * FUSE thread but what settings-set.c and settings-get.c do on the channel's worker.
 */
#include "settings-parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "log.h"
#include "prologue.h"

int settings_limits(struct context *ctx, const struct rights *r, const struct inode *inode, struct limits *limits)
{
	limits->settings = ctx->defaults;
	limits->account = accounts_of_caller(ctx, r);
	if (access_check(r, inode, W_OK) < 0)
		limits->settings.value[SETTING_POLICY] = POLICY_DROP_OLD;
	return limits->account ? 0 : -ENOMEM;
}

/* ---- what has which ---- */

static unsigned settings_kind_of(const struct context *ctx, const struct node *node)
{
	if (node == ctx->nodes.root)
		return SETTING_OF_MOUNT;
	if (!node_is_channel(node))
		return 0;
	return node_is_tap(node) ? SETTING_OF_TAP : SETTING_OF_CHANNEL;
}

bool settings_has(const struct context *ctx, const struct node *node, enum setting_key key)
{
	return settings_table[key].of & settings_kind_of(ctx, node);
}

int settings_refuse(struct settings_ask *a, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, ap);
	va_end(ap);
	return err;
}

static const char *settings_place_of(enum setting_key key)
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

int settings_add_prologue(struct settings_ask *a, const char *bytes, size_t len)
{
	if (len > PROLOGUE_MAX)
		return settings_refuse(a, -ERANGE, "prologue: %zu bytes are more than 64K", len);
	a->prologue = malloc(len);
	if (!a->prologue)
		return settings_refuse(a, -ENOMEM, "prologue: %s", strerror(ENOMEM));
	memcpy(a->prologue, bytes, len);
	a->value[SETTING_PROLOGUE] = PROLOGUE_GIVEN | len;
	a->has[SETTING_PROLOGUE] = true;
	return 0;
}

static int settings_add_one(struct settings_ask *a, const char *name, const char *text, size_t len)
{
	char why[SETTING_TEXT_MAX];
	int key = setting_find(name);
	int err;

	if (key < 0)
		return settings_refuse(a, -EINVAL, "%.32s: there is no such setting", name);
	if (!settings_has(a->ctx, a->node, (enum setting_key)key))
		return settings_refuse(a, -EINVAL, "%s: belongs to %s", name, settings_place_of((enum setting_key)key));
	if (key == SETTING_PROLOGUE && setting_is_prologue(text, len))
		return settings_add_prologue(a, text, len);
	if (strlen(text) < len)
		return settings_refuse(a, -EINVAL, "%s: has a zero byte", name);
	err = setting_parse((enum setting_key)key, text, &a->value[key], why);
	if (err < 0)
		return settings_refuse(a, err, "%s: %s", name, why);
	a->has[key] = true;
	return 0;
}

int settings_add(struct settings_ask *a, const char *name, const char *text, size_t len)
{
	int err = settings_add_one(a, name, text, len);

	if (err < 0) {
		free(a->prologue);
		a->prologue = NULL;
	}
	return err;
}

void settings_log(const struct settings_ask *a)
{
	_cleanup_free_ char *path = node_path(node_name(a->node));

	log_user_info(a->user, "%s: set %s", path ? path : "?", a->why);
}

/* ---- begin and end ---- */

int settings_begin(struct settings_ask *a)
{
	a->until = job_deadline();
	a->err = hold_take(&a->hold, a->ctx, a->node);
	if (a->err < 0)
		return settings_refuse(a, a->err, "%s", strerror(-a->err));
	a->tap = node_is_tap(a->node) ? a->node->id : 0;
	return 0;
}

static void settings_late(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	a->late(a);
}

static void settings_worked(struct job *job)
{
	struct settings_ask *a = container_of(job, struct settings_ask, job);

	if (job_given_up(job))
		a->err = settings_refuse(a, -ETIMEDOUT, "the channel's worker does not answer");
	a->worked(a);
}

void settings_post(struct settings_ask *a, void (*work)(struct job *), void (*worked)(struct settings_ask *))
{
	a->worked = worked;
	hold_post(&a->hold, &a->job, work, settings_worked);
	job_patient(&a->job, a->until, settings_late);
}

void settings_end(struct settings_ask *a)
{
	char *prologue = a->prologue; /* the question may be gone after done() */
	struct hold hold = a->hold;

	a->done(a);
	free(prologue);
	hold_drop(&hold);
}
