/*
 * All on the FUSE thread. A fresh snapshot pins its node. Where a user has too many, those that are only kept for
 * who may come again go first.
 */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "log.h"

struct snapshot {
	LIST_ENTRY(snapshot) entry;
	struct snapshots *list;
	const struct node *of;
	struct node *node; /* NULL: being made */
	bool fresh;
	uid_t uid;
	gid_t gid;
	pid_t pid;
	uint64_t made;         /* in nanoseconds of CLOCK_MONOTONIC */
	struct node_text text; /* the node's; of it only the length counts before */
};

struct snapshots {
	struct context *ctx;
	struct loop_io timer;
	LIST_HEAD(, snapshot) all;
};

/* May free it. */
static void snapshot_age(struct snapshot *sn)
{
	struct node *node = sn->node;

	if (!sn->fresh)
		return;
	sn->fresh = false;
	node->pins--;
	node_release(&sn->list->ctx->nodes, node);
}

static void snapshots_age(struct loop_io *io, int res)
{
	struct snapshots *list = container_of(io, struct snapshots, timer);
	uint64_t now = clock_nsec();
	struct snapshot *sn, *next;
	uint64_t wait = 0;

	for (sn = LIST_FIRST(&list->all); sn; sn = next) {
		next = LIST_NEXT(sn, entry);
		if (!sn->fresh)
			continue;
		if (now - sn->made >= SNAPSHOT_FRESH_NSEC)
			snapshot_age(sn);
		else if (!wait || sn->made + SNAPSHOT_FRESH_NSEC - now < wait)
			wait = sn->made + SNAPSHOT_FRESH_NSEC - now;
	}
	if (wait)
		loop_io_timer(io, wait);
}

int snapshots_create(struct snapshots **out, struct context *ctx)
{
	struct snapshots *list = calloc(1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list->ctx = ctx;
	loop_io_init(&list->timer, ctx->loop, snapshots_age);
	LIST_INIT(&list->all);
	*out = list;
	return 0;
}

void snapshots_leave(struct snapshots *list)
{
	loop_io_cancel(&list->timer);
}

void snapshots_destroy(struct snapshots *list)
{
	free(list);
}

/* ---- how many ---- */

/* Whether one more, @more, of @len bytes is within what its user may have. */
static bool snapshot_fits(const struct snapshots *list, const struct snapshot *more, uid_t uid, size_t len)
{
	const struct snapshot *sn;
	size_t count = 0, bytes = 0;

	LIST_FOREACH(sn, &list->all, entry) {
		if (sn->uid != uid || sn == more)
			continue;
		count++;
		bytes += sn->text.len;
	}
	return count < SNAPSHOT_USER_MAX && (bytes == 0 || bytes + len <= SNAPSHOT_USER_BYTES);
}

/* Makes room for it. Returns 0 or -ENFILE. */
static int snapshot_make_room(struct snapshots *list, const struct snapshot *more, uid_t uid, size_t len)
{
	while (!snapshot_fits(list, more, uid, len)) {
		struct snapshot *sn, *oldest = NULL;

		LIST_FOREACH(sn, &list->all, entry) /* the newest is first */
			if (sn->uid == uid && sn->fresh && !sn->node->lookups)
				oldest = sn;
		if (!oldest) {
			log_user_warn(uid, ".spfs: user %u has %u files, or %u bytes of them, open", uid,
				      SNAPSHOT_USER_MAX, SNAPSHOT_USER_BYTES);
			return -ENFILE;
		}
		snapshot_age(oldest);
	}
	return 0;
}

/* ---- making and finding ---- */

struct node *snapshot_find(struct snapshots *list, fuse_req_t req, const struct node *of)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	const struct snapshot *sn;

	LIST_FOREACH(sn, &list->all, entry)
		if (ctx->pid && sn->pid == ctx->pid && sn->uid == ctx->uid && sn->gid == ctx->gid && sn->of == of &&
		    sn->fresh && clock_nsec() - sn->made < SNAPSHOT_FRESH_NSEC)
			return sn->node;
	return NULL;
}

int snapshot_create(struct snapshots *list, fuse_req_t req, struct node *of, struct snapshot **out)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	int err = snapshot_make_room(list, NULL, ctx->uid, 0);
	struct snapshot *sn;

	if (err < 0)
		return err;
	sn = calloc(1, sizeof(*sn));
	if (!sn)
		return -ENOMEM;
	sn->list = list;
	sn->of = of;
	sn->uid = ctx->uid;
	sn->gid = ctx->gid;
	sn->pid = ctx->pid;
	LIST_INSERT_HEAD(&list->all, sn, entry);
	*out = sn;
	return 0;
}

static void snapshot_node_gone(struct node_text *t)
{
	snapshot_free(container_of(t, struct snapshot, text));
}

int snapshot_fill(struct snapshot *sn, char *text, struct node **out)
{
	struct snapshots *list = sn->list;
	struct node_text *t = &sn->text;
	struct node *node = NULL;
	int err = snapshot_make_room(list, sn, sn->uid, strlen(text));

	t->text = text;
	if (err == 0)
		node = node_create(&list->ctx->nodes, NODE_FILE, sn->of->inode, 0, 0, 0);
	if (!node) {
		snapshot_free(sn);
		return err < 0 ? err : -ENOMEM;
	}
	t->len = strlen(text);
	t->free = snapshot_node_gone;
	t->time = clock_timespec(clock_now());
	sn->made = clock_nsec();
	sn->fresh = true;
	sn->node = node;
	node->text = t;
	node->pins++;
	if (!loop_io_armed(&list->timer))
		loop_io_timer(&list->timer, SNAPSHOT_FRESH_NSEC);
	*out = node;
	return 0;
}

void snapshot_free(struct snapshot *sn)
{
	if (!sn)
		return;
	LIST_REMOVE(sn, entry);
	free(sn->text.text);
	free(sn);
}
