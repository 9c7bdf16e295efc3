/*
 * A channel that is being declared lives until its sinks are attached or have failed; then its sources are started.
 * It keeps the configuration, whose texts it uses, and the channel's node.
 */
#include "declare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "attach.h"
#include "base.h"
#include "engine.h"
#include "inode.h"
#include "log.h"
#include "tee.h"

struct declaring {
	struct server *server;
	struct config *config;
	const struct declared *channel;
	struct node *origin; /* pinned until its sources are started; NULL: there are none to start */
	unsigned left;       /* ports under way, and one until all are started */
};

struct declared_attach {
	struct attach attach;
	struct declaring *declaring;
};

static void failed(struct lines *not, const char *name, const char *why)
{
	log_warn("declared %s: %s", name, why);
	if (not)
		lines_add(not, "%s: %s", name, why);
}

/* ---- sources and sinks ---- */

static void step_done(struct declaring *d);

static void attached(struct attach *a)
{
	struct declared_attach *da = container_of(a, struct declared_attach, attach);
	struct declaring *d = da->declaring;

	free(da);
	step_done(d);
}

static void attach(struct declaring *d, struct node *node, const struct declared_port *port)
{
	struct declared_attach *da = calloc(1, sizeof(*da));

	if (!da || rights_copy(&da->attach.rights, &d->channel->owner) < 0) {
		free(da);
		failed(NULL, port->uri, strerror(ENOMEM));
		return;
	}
	da->declaring = d;
	da->attach.server = d->server;
	da->attach.node = node;
	da->attach.dir = port->dir;
	da->attach.text = port->uri;
	da->attach.own = true;
	da->attach.fd = -1;
	da->attach.done = attached;
	d->left++;
	attach_start(&da->attach);
}

static void attach_each(struct declaring *d, struct node *node, const struct declared *of, enum port_dir dir)
{
	for (size_t i = 0; i < of->port_count; i++)
		if (of->ports[i].dir == dir)
			attach(d, node, &of->ports[i]);
}

static void step_done(struct declaring *d)
{
	struct node *origin = d->origin;

	if (--d->left)
		return;
	if (origin) {
		d->origin = NULL;
		d->left = 1;
		attach_each(d, origin, d->channel, PORT_SOURCE);
		origin->pins--;
		node_release(&d->server->nodes, origin);
		step_done(d);
		return;
	}
	config_unref(d->config);
	free(d);
}

/* @made: the nodes that are new, in the order of what is declared. */
static void attach_all(struct server *s, const struct declared *channel, struct node *const *made)
{
	struct config *c = s->config;
	struct node *origin = made[channel - c->declared];
	struct declaring *d = calloc(1, sizeof(*d));

	if (!d) {
		failed(NULL, channel->name, strerror(ENOMEM));
		return;
	}
	*d = (struct declaring){
		.server = s, .config = config_ref(c), .channel = channel, .origin = origin, .left = 1,
	};
	if (origin) {
		origin->pins++;
		attach_each(d, origin, channel, PORT_SINK);
	}
	for (size_t i = 0; i < c->declared_count; i++)
		if (made[i] && c->declared[i].tap && !strcmp(c->declared[i].channel, channel->name))
			attach_each(d, made[i], &c->declared[i], PORT_SINK);
	step_done(d);
}

/* ---- names ---- */

/* The folder of @name, made where it is missing, and its last part: *last. NULL: *why says it. */
static struct node *folder_of(struct server *s, const char *name, const char **last, const char **why)
{
	struct node *dir = s->nodes.root;
	const char *slash;

	for (; (slash = strchr(name, '/')); name = slash + 1) {
		_cleanup_free_ char *part = strndup(name, (size_t)(slash - name));
		struct node *next = part ? node_find(dir, part) : NULL;

		*why = strerror(part ? ENOTDIR : ENOMEM);
		if (!part || (next && next->kind != NODE_DIR))
			return NULL;
		if (!next) {
			next = node_create(&s->nodes, NODE_DIR, NULL, S_IFDIR | 0755, geteuid(), getegid());
			*why = strerror(ENOMEM);
			if (!next || node_attach(&s->nodes, next, dir, part) < 0) {
				if (next)
					node_release(&s->nodes, next);
				return NULL;
			}
		}
		dir = next;
	}
	*last = name;
	return dir;
}

static struct node *make_channel(struct server *s, const struct declared *d, struct node *dir, const char *name)
{
	struct node *node = node_create(&s->nodes, NODE_FIFO, NULL, S_IFIFO | d->mode, d->owner.uid, d->group);
	struct settings settings = config_settings(s->config, d);

	if (!node)
		return NULL;
	node->inode->origin = node;
	if (node_attach(&s->nodes, node, dir, name) < 0) {
		node_release(&s->nodes, node);
		return NULL;
	}
	node->inode->packets = settings.value[SETTING_PACKETS];
	if (tee_begin(s, node, &settings) < 0) {
		node_detach(&s->nodes, node);
		tee_channel_put(s, node->inode);
		node_release(&s->nodes, node);
		return NULL;
	}
	return node;
}

static struct node *make_tap(struct server *s, const struct declared *d, struct node *dir, const char *name,
			     const char **why)
{
	struct node *node = access_find(s->nodes.root, d->channel);
	struct settings settings = config_settings(s->config, d);
	int err = !node ? -ENOENT : node->kind != NODE_FIFO || node_is_tap(node) ? -EINVAL : 0;

	if (err == 0)
		err = tee_declare(s, node, dir, name, &settings);
	*why = strerror(-err);
	return err < 0 ? NULL : node_find(dir, name);
}

static bool same(const struct declared *a, const struct declared *b)
{
	if (a->tap != b->tap || a->given != b->given || a->port_count != b->port_count)
		return false;
	if (a->tap ? strcmp(a->channel, b->channel) != 0 :
		     a->owner.uid != b->owner.uid || a->group != b->group || a->mode != b->mode)
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
static struct node *make(struct server *s, const struct declared *d, const struct config *before, struct lines *made,
			 struct lines *not)
{
	const struct declared *old = before ? config_find(before, d->name) : NULL;
	const char *last = d->name, *why = NULL;
	struct node *dir = folder_of(s, d->name, &last, &why);
	struct node *node = NULL;

	if (dir && node_find(dir, last)) {
		if (!old || !same(old, d))
			failed(not, d->name, "is there already, and stays as it is");
		return NULL;
	}
	if (dir) {
		why = strerror(ENOMEM);
		node = d->tap ? make_tap(s, d, dir, last, &why) : make_channel(s, d, dir, last);
	}
	if (!node)
		failed(not, d->name, why);
	else if (made)
		lines_add(made, "%s %s is made", d->tap ? "tap" : "channel", d->name);
	return node;
}

/* ---- once the taps are there ---- */

struct settling {
	struct server *server;
	unsigned left; /* workers that have taps to make, and one until all are asked */
	void (*done)(void *data);
	void *data;
};

struct settle_job {
	struct job job;
	struct settling *settling;
};

static void settled(struct settling *st)
{
	if (--st->left)
		return;
	st->done(st->data);
	free(st);
}

static void work_nothing(struct job *job)
{
}

static void finish_settle(struct job *job)
{
	struct settle_job *j = container_of(job, struct settle_job, job);

	settled(j->settling);
	free(j);
}

/* What was asked of the workers before is done when they come to this. */
static void settle(struct server *s, void (*done)(void *), void *data)
{
	struct settling *st = calloc(1, sizeof(*st));
	struct worker *w;

	if (!st) {
		done(data);
		return;
	}
	*st = (struct settling){ .server = s, .left = 1, .done = done, .data = data };
	for (unsigned i = 0; (w = engine_worker(s->engine, i)); i++) {
		struct settle_job *j = calloc(1, sizeof(*j));

		if (!j)
			continue;
		j->settling = st;
		st->left++;
		job_post(s, w->loop, &j->job, work_nothing, finish_settle);
	}
	settled(st);
}

void declare_all(struct server *s, const struct config *before, struct lines *made, struct lines *not,
		 void (*done)(void *data), void *data)
{
	const struct config *c = s->config;
	_cleanup_free_ struct node **nodes = calloc(c->declared_count + 1, sizeof(struct node *));

	if (!nodes) {
		failed(not, "channels", strerror(ENOMEM));
		done(data);
		return;
	}
	for (int tap = 0; tap <= 1; tap++)
		for (size_t i = 0; i < c->declared_count; i++)
			if (c->declared[i].tap == tap)
				nodes[i] = make(s, &c->declared[i], before, made, not);
	for (size_t i = 0; i < c->declared_count; i++)
		if (!c->declared[i].tap)
			attach_all(s, &c->declared[i], nodes);
	settle(s, done, data);
}
