/*
 * The files' own nodes are for listing alone; nobody looks them up but to be refused. All on the FUSE thread, but
 * what a collector calls.
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
#include "dir.h"
#include "metrics.h"
#include "snapshot.h"
#include "topology.h"

/* A look-up on its way. */
struct lookup {
	struct collector_waiter waiter;
	struct snapshot *snapshot;
	fuse_req_t req;
};

/* ---- what they hold ---- */

static char *version_text(struct server *s, uid_t uid)
{
	return strdup("spfs " SPFS_VERSION "\n");
}

/* What is declared names channels and files that may be others' alone. */
static char *config_text(struct server *s, uid_t uid)
{
	return config_print(s->config, uid == 0 || uid == geteuid());
}

static char *stats_text(const json_t *stats)
{
	_cleanup_free_ char *text = json_dumps(stats, JSON_COMPACT | JSON_REAL_PRECISION(12));
	char *line = NULL;

	return text && asprintf(&line, "%s\n", text) >= 0 ? line : NULL;
}

static char *topology_text(const json_t *stats)
{
	return topology_dot(stats, NULL, 0);
}

static const struct file {
	const char *name;
	char *(*text)(struct server *s, uid_t uid); /* for that user, at once; or */
	char *(*make)(const json_t *stats);         /* of a collector */
} files[] = {
	{ .name = "config", .text = config_text },
	{ .name = "metrics", .make = metrics_text },
	{ .name = "stats.json", .make = stats_text },
	{ .name = "topology.dot", .make = topology_text },
	{ .name = "version", .text = version_text },
};

#define FILES (sizeof(files) / sizeof(files[0]))

int files_create(struct server *s)
{
	for (size_t i = 0; i < FILES; i++) {
		struct node *node = node_create(&s->nodes, NODE_FILE, NULL, S_IFREG | 0444, geteuid(), getegid());
		int err = node ? node_attach(&s->nodes, node, s->admin, files[i].name) : -ENOMEM;

		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- looking up ---- */

/* Takes @text; NULL: it could not be made, for want of memory. */
static void answer(fuse_req_t req, struct snapshot *sn, char *text)
{
	struct node *node;
	int err = -ENOMEM;

	if (text)
		err = snapshot_fill(sn, text, &node);
	else
		snapshot_free(sn);
	if (err < 0)
		fuse_reply_err(req, -err);
	else
		dir_reply_entry(req, node);
}

static void gathered(struct collector_waiter *w)
{
	struct lookup *l = container_of(w, struct lookup, waiter);

	if (w->err == -ENOTCONN) {
		snapshot_free(l->snapshot);
		fuse_reply_err(l->req, ENOTCONN);
	} else {
		answer(l->req, l->snapshot, w->text);
	}
	rights_finish(&w->rights);
	free(l);
}

static void gather(fuse_req_t req, struct snapshot *sn, char *(*make)(const json_t *))
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l || access_rights(req, &l->waiter.rights) < 0) {
		free(l);
		answer(req, sn, NULL);
		return;
	}
	l->snapshot = sn;
	l->req = req;
	l->waiter.make = make;
	l->waiter.done = gathered;
	collector_want(server_of(req)->collector, &l->waiter);
}

void files_lookup(fuse_req_t req, struct node *file)
{
	struct server *s = server_of(req);
	struct node *node = snapshot_find(s->snapshots, req, file);
	const struct file *f = files;
	struct snapshot *sn;
	int err;

	if (node) {
		dir_reply_entry(req, node);
		return;
	}
	err = snapshot_create(s->snapshots, req, file, &sn);
	if (err < 0) {
		fuse_reply_err(req, -err);
		return;
	}
	while (strcmp(f->name, file->name))
		f++;
	if (f->text)
		answer(req, sn, f->text(s, fuse_req_ctx(req)->uid));
	else
		gather(req, sn, f->make);
}
