/*
 * The files' own nodes are for listing alone; nobody looks them up but to be refused. All on the FUSE thread, but
 * what the collector calls.
 */
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "base.h"
#include "collector.h"
#include "config.h"
#include "control-parts.h"
#include "json.h"
#include "metrics.h"
#include "reply.h"
#include "services.h"
#include "snapshot.h"
#include "topology.h"

/* A look-up on its way. */
struct files_lookup {
	struct collector_waiter waiter;
	struct snapshot *snapshot;
	fuse_req_t req;
};

/* ---- what they hold ---- */

static char *files_version_text(struct context *ctx, uid_t uid)
{
	return strdup("spfs " SPFS_VERSION "\n");
}

/* What is declared names channels and files that may be others' alone. */
static char *files_config_text(struct context *ctx, uid_t uid)
{
	return config_print(ctx->config, uid == 0 || uid == geteuid());
}

static char *files_stats_text(const json_t *stats)
{
	_cleanup_free_ char *text = json_text(stats, JSON_COMPACT);
	char *line = NULL;

	return text && asprintf(&line, "%s\n", text) >= 0 ? line : NULL;
}

static char *files_topology_text(const json_t *stats)
{
	return topology_dot(stats, NULL, 0);
}

static const struct file {
	const char *name;
	char *(*text)(struct context *ctx, uid_t uid); /* for that user, at once; or */
	char *(*make)(const json_t *stats);            /* of the collector's stats */
} files[] = {
	{ .name = "config", .text = files_config_text },    { .name = "metrics", .make = metrics_text },
	{ .name = "stats.json", .make = files_stats_text }, { .name = "topology.dot", .make = files_topology_text },
	{ .name = "version", .text = files_version_text },
};

#define FILES (sizeof(files) / sizeof(files[0]))

int files_create(struct context *ctx)
{
	for (size_t i = 0; i < FILES; i++) {
		struct node *node = node_create(&ctx->nodes, NODE_FILE, NULL, S_IFREG | 0444, geteuid(), getegid());
		int err = node ? node_attach(&ctx->nodes, node, ctx->admin, files[i].name) : -ENOMEM;

		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- looking up ---- */

/* Takes @text; NULL: it could not be made, for want of memory. */
static void files_answer(fuse_req_t req, struct snapshot *sn, char *text)
{
	struct node *node;
	int err = -ENOMEM;

	if (text)
		err = snapshot_fill(sn, text, &node);
	else
		snapshot_free(sn);
	if (err < 0)
		reply_error(req, err);
	else
		reply_entry(req, node);
}

static void files_gathered(struct collector_waiter *w)
{
	struct files_lookup *l = container_of(w, struct files_lookup, waiter);

	if (w->err == -ENOTCONN) {
		snapshot_free(l->snapshot);
		reply_error(l->req, -ENOTCONN);
	} else {
		files_answer(l->req, l->snapshot, w->text);
	}
	rights_finish(&w->rights);
	free(l);
}

static void files_gather(fuse_req_t req, struct snapshot *sn, char *(*make)(const json_t *))
{
	struct files_lookup *l = calloc(1, sizeof(*l));

	if (!l || access_rights(req, &l->waiter.rights) < 0) {
		free(l);
		files_answer(req, sn, NULL);
		return;
	}
	l->snapshot = sn;
	l->req = req;
	l->waiter.make = make;
	l->waiter.done = files_gathered;
	collector_want(context_of(req)->services->collector, &l->waiter);
}

void files_lookup(fuse_req_t req, struct node *file)
{
	struct context *ctx = context_of(req);
	struct node *node = snapshot_find(ctx->control->snapshots, req, file);
	const struct file *f = files;
	struct snapshot *sn;
	int err;

	if (node) {
		reply_entry(req, node);
		return;
	}
	err = snapshot_create(ctx->control->snapshots, req, file, &sn);
	if (err < 0) {
		reply_error(req, err);
		return;
	}
	while (strcmp(f->name, file->name))
		f++;
	if (f->text)
		files_answer(req, sn, f->text(ctx, fuse_req_ctx(req)->uid));
	else
		files_gather(req, sn, f->make);
}
