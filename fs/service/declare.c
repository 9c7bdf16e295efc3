#include "declare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "accounts.h"
#include "base.h"
#include "declare-ports.h"
#include "engine.h"
#include "log.h"
#include "names.h"
#include "settings.h"
#include "tee.h"

static void declare_failed(struct lines *stays, const char *name, const char *why)
{
	log_warn("declared %s: %s", name, why);
	if (stays)
		lines_add(stays, "%s: %s", name, why);
}

/* ---- names ---- */

/* The folder of @name, made where it is missing, and its last part: *last. NULL: *why says it. */
static struct node *declare_folder_of(struct context *ctx, const char *name, const char **last, const char **why)
{
	struct node *dir = ctx->nodes.root;
	const char *slash;

	for (; (slash = strchr(name, '/')); name = slash + 1) {
		_cleanup_free_ char *part = strndup(name, (size_t)(slash - name));
		struct node *next = part ? node_find(dir, part) : NULL;

		*why = strerror(part ? ENOTDIR : ENOMEM);
		if (!part || (next && next->kind != NODE_DIR))
			return NULL;
		if (!next) {
			next = node_create(&ctx->nodes, NODE_DIR, NULL, S_IFDIR | 0755, geteuid(), getegid());
			*why = strerror(ENOMEM);
			if (!next || node_attach(&ctx->nodes, next, dir, part) < 0) {
				if (next)
					node_release(&ctx->nodes, next);
				return NULL;
			}
		}
		dir = next;
	}
	*last = name;
	return dir;
}

static void declare_prologue_done(struct settings_ask *a)
{
	a->node->pins--;
	node_release(&a->ctx->nodes, a->node);
	free(a);
}

/* (nobody waits) */
static void declare_prologue_late(struct settings_ask *a)
{
}

/* By value, on the worker; before it hears of a tap or a port of the channel. What fails is logged. */
static void declare_set_prologue(struct context *ctx, const struct declared *d, struct node *node)
{
	struct settings_ask *a = calloc(1, sizeof(*a));
	int err;

	if (!a) {
		log_warn("declared %s: no prologue: %s", d->name, strerror(ENOMEM));
		return;
	}
	*a = (struct settings_ask){ .ctx = ctx,
				    .node = node,
				    .user = d->owner.uid,
				    .done = declare_prologue_done,
				    .late = declare_prologue_late };
	node->pins++;
	err = settings_add_prologue(a, d->prologue, d->prologue_len);
	if (err == 0) {
		settings_set(a, NULL);
	} else {
		log_warn("declared %s: no %s", d->name, a->why);
		declare_prologue_done(a);
	}
}

static struct node *declare_make_channel(struct context *ctx, const struct declared *d, struct node *dir,
					 const char *name)
{
	struct node *node = node_create(&ctx->nodes, NODE_FIFO, NULL, S_IFIFO | d->mode, d->owner.uid, d->group);
	struct settings settings = config_settings(ctx->config, d);
	int err;

	if (!node)
		return NULL;
	node->inode->origin = node;
	if (node_charge(node, accounts_of_user(ctx, d->owner.uid)) < 0 ||
	    node_attach(&ctx->nodes, node, dir, name) < 0) {
		node_release(&ctx->nodes, node);
		return NULL;
	}
	node->inode->packets = settings.value[SETTING_PACKETS];
	node->inode->declared = true;
	if (!(d->given & 1u << SETTING_KEEP))
		settings.value[SETTING_KEEP] = 1;
	node->pins++;
	err = names_begin(ctx, node, &settings);
	if (err == 0 && d->prologue)
		declare_set_prologue(ctx, d, node);
	node->pins--;
	if (err < 0)
		node_release(&ctx->nodes, node);
	return err < 0 ? NULL : node;
}

static void declare_tapped(struct tee_request *t)
{
	free(t);
}

static struct node *declare_make_tap(struct context *ctx, const struct declared *d, struct node *dir, const char *name,
				     const char **why)
{
	struct node *node = access_find(ctx->nodes.root, d->channel);
	struct settings settings = config_settings(ctx->config, d);
	bool ruled = d->given & 1u << SETTING_POLICY;
	int err = !node ? -ENOENT : node->kind != NODE_FIFO || node_is_tap(node) ? -EINVAL : 0;
	struct tee_request *t = err < 0 ? NULL : calloc(1, sizeof(*t));

	if (t) {
		*t = (struct tee_request){
			.ctx = ctx, .node = node, .dir = dir, .name = name, .each = d->each, .done = declare_tapped
		};
		err = tee_start_declared(t, &settings, ruled);
	} else if (err == 0) {
		err = -ENOMEM;
	}
	*why = strerror(-err);
	if (err < 0)
		free(t);
	return err < 0 ? NULL : node_find(dir, name);
}

static bool declare_has_same_prologue(const struct declared *a, const struct declared *b)
{
	return a->prologue_len == b->prologue_len &&
	       (!a->prologue_len || !memcmp(a->prologue, b->prologue, a->prologue_len));
}

static bool declare_is_same(const struct declared *a, const struct declared *b)
{
	if (a->tap != b->tap || a->each != b->each || a->given != b->given || a->port_count != b->port_count)
		return false;
	if (a->tap ? strcmp(a->channel, b->channel) != 0 :
		     a->owner.uid != b->owner.uid || a->group != b->group || a->mode != b->mode)
		return false;
	if (!declare_has_same_prologue(a, b))
		return false;
	for (int key = 0; key < SETTINGS; key++)
		if ((a->given & 1u << key) && a->settings.value[key] != b->settings.value[key])
			return false;
	for (size_t i = 0; i < a->port_count; i++)
		if (a->ports[i].dir != b->ports[i].dir || strcmp(a->ports[i].uri, b->ports[i].uri))
			return false;
	return true;
}

/* Returns the node, or NULL where there is nothing new. */
static struct node *declare_make(struct context *ctx, const struct declared *d, const struct config *before,
				 struct lines *made, struct lines *stays)
{
	const struct declared *old = before ? config_find(before, d->name) : NULL;
	const char *last = d->name, *why = NULL;
	struct node *dir = declare_folder_of(ctx, d->name, &last, &why);
	struct node *node = NULL;

	if (dir && node_find(dir, last)) {
		if (!old || !declare_is_same(old, d))
			declare_failed(stays, d->name, "is there already, and stays as it is");
		return NULL;
	}
	node = dir && !d->tap ? names_kept(NULL, dir, last) : NULL;
	if (node && names_return(ctx, node) == 0) {
		if (made)
			lines_add(made, "channel %s is there again", d->name);
		return NULL;
	}
	if (dir) {
		why = strerror(ENOMEM);
		node = d->tap ? declare_make_tap(ctx, d, dir, last, &why) : declare_make_channel(ctx, d, dir, last);
	}
	if (!node)
		declare_failed(stays, d->name, why);
	else if (made)
		lines_add(made, "%s %s is made", d->tap ? "tap" : "channel", d->name);
	return node;
}

/* ---- once the taps are there ---- */

struct settling {
	struct context *ctx;
	unsigned left; /* workers that have taps to make, and one until all are asked */
	void (*done)(void *data);
	void *data;
};

struct settle_job {
	struct job job;
	struct settling *settling; /* NULL: it was late */
};

static void declare_settled(struct settling *st)
{
	if (--st->left)
		return;
	st->done(st->data);
	free(st);
}

static void declare_work_nothing(struct job *job)
{
}

static void declare_worker_settled(struct job *job)
{
	struct settle_job *j = container_of(job, struct settle_job, job);

	if (j->settling)
		declare_settled(j->settling);
	free(j);
}

static void declare_worker_late(struct job *job)
{
	struct settle_job *j = container_of(job, struct settle_job, job);
	struct settling *st = j->settling;

	j->settling = NULL;
	declare_settled(st);
}

/* What was asked of the workers before is done when they come to this. */
static void declare_settle(struct context *ctx, void (*done)(void *), void *data)
{
	struct settling *st = calloc(1, sizeof(*st));
	struct worker *w = NULL;

	if (!st) {
		done(data);
		return;
	}
	*st = (struct settling){ .ctx = ctx, .left = 1, .done = done, .data = data };
	while ((w = engine_next(ctx->engine, w))) {
		struct settle_job *j = w->leaving ? NULL : calloc(1, sizeof(*j));

		if (!j)
			continue;
		j->settling = st;
		st->left++;
		job_post(ctx, w->loop, &j->job, declare_work_nothing, declare_worker_settled);
		j->job.worker = w;
		job_patient(&j->job, job_deadline(), declare_worker_late);
	}
	declare_settled(st);
}

void declare_all(struct context *ctx, const struct config *before, struct lines *made, struct lines *stays,
		 void (*done)(void *data), void *data)
{
	const struct config *c = ctx->config;
	_cleanup_free_ struct node **nodes = calloc(c->declared_count + 1, sizeof(struct node *));

	if (!nodes) {
		declare_failed(stays, "channels", strerror(ENOMEM));
		done(data);
		return;
	}
	for (int tap = 0; tap <= 1; tap++)
		for (size_t i = 0; i < c->declared_count; i++)
			if (c->declared[i].tap == tap)
				nodes[i] = declare_make(ctx, &c->declared[i], before, made, stays);
	for (size_t i = 0; i < c->declared_count; i++)
		if (!c->declared[i].tap)
			declare_ports_attach(ctx, &c->declared[i], nodes);
	declare_settle(ctx, done, data);
}
