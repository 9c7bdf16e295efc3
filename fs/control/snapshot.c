/*
 * All on the FUSE thread. A fresh snapshot pins its node. Where a user has too many, those that are only kept for
 * who may come again go first.
 */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base.h"
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
	uint64_t made; /* in nanoseconds of CLOCK_MONOTONIC */
	struct timespec time;
	char *text;
	size_t len;
};

struct snapshots {
	struct server *server;
	struct loop_io timer;
	LIST_HEAD(, snapshot) all;
};

static uint64_t now_nsec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* May free it. */
static void age(struct snapshot *sn)
{
	struct node *node = sn->node;

	if (!sn->fresh)
		return;
	sn->fresh = false;
	node->pins--;
	node_release(&sn->list->server->nodes, node);
}

static void timer_ready(struct loop_io *io, int res)
{
	struct snapshots *list = container_of(io, struct snapshots, timer);
	uint64_t now = now_nsec();
	struct snapshot *sn, *next;
	uint64_t wait = 0;

	for (sn = LIST_FIRST(&list->all); sn; sn = next) {
		next = LIST_NEXT(sn, entry);
		if (!sn->fresh)
			continue;
		if (now - sn->made >= SNAPSHOT_FRESH_NSEC)
			age(sn);
		else if (!wait || sn->made + SNAPSHOT_FRESH_NSEC - now < wait)
			wait = sn->made + SNAPSHOT_FRESH_NSEC - now;
	}
	if (wait)
		loop_io_timer(io, wait);
}

int snapshots_create(struct snapshots **out, struct server *s)
{
	struct snapshots *list = calloc(1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list->server = s;
	loop_io_init(&list->timer, s->loop, timer_ready);
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
static bool fits(const struct snapshots *list, const struct snapshot *more, uid_t uid, size_t len)
{
	const struct snapshot *sn;
	size_t count = 0, bytes = 0;

	LIST_FOREACH(sn, &list->all, entry) {
		if (sn->uid != uid || sn == more)
			continue;
		count++;
		bytes += sn->len;
	}
	return count < SNAPSHOT_USER_MAX && (bytes == 0 || bytes + len <= SNAPSHOT_USER_BYTES);
}

/* Makes room for it. Returns 0 or -ENFILE. */
static int make_room(struct snapshots *list, const struct snapshot *more, uid_t uid, size_t len)
{
	while (!fits(list, more, uid, len)) {
		struct snapshot *sn, *oldest = NULL;

		LIST_FOREACH(sn, &list->all, entry) /* the newest is first */
			if (sn->uid == uid && sn->fresh && !sn->node->lookups)
				oldest = sn;
		if (!oldest) {
			log_warn(".spfs: user %u has %u files, or %u bytes of them, open", uid, SNAPSHOT_USER_MAX,
				 SNAPSHOT_USER_BYTES);
			return -ENFILE;
		}
		age(oldest);
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
		    sn->fresh && now_nsec() - sn->made < SNAPSHOT_FRESH_NSEC)
			return sn->node;
	return NULL;
}

int snapshot_create(struct snapshots *list, fuse_req_t req, struct node *of, struct snapshot **out)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	int err = make_room(list, NULL, ctx->uid, 0);
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

int snapshot_fill(struct snapshot *sn, char *text, struct node **out)
{
	struct snapshots *list = sn->list;
	size_t len = strlen(text);
	struct node *node = NULL;
	int err;

	sn->text = text;
	err = make_room(list, sn, sn->uid, len);
	if (err == 0)
		node = node_create(&list->server->nodes, NODE_FILE, sn->of->inode, 0, 0, 0);
	if (!node) {
		snapshot_free(sn);
		return err < 0 ? err : -ENOMEM;
	}
	sn->len = len;
	sn->made = now_nsec();
	clock_gettime(CLOCK_REALTIME, &sn->time);
	sn->fresh = true;
	sn->node = node;
	node->snapshot = sn;
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
	free(sn->text);
	free(sn);
}

/* ---- operations ---- */

void snapshot_stat(const struct snapshot *sn, struct stat *st)
{
	st->st_size = (off_t)sn->len;
	st->st_blocks = (blkcnt_t)((sn->len + 511) / 512);
	st->st_atim = st->st_mtim = st->st_ctim = sn->time;
}

/* Also root may not write: the kernel lets it pass. */
void snapshot_open(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	if ((fi->flags & O_ACCMODE) != O_RDONLY || (fi->flags & O_TRUNC)) {
		fuse_reply_err(req, EACCES);
		return;
	}
	fi->keep_cache = 1; /* it never changes */
	fuse_reply_open(req, fi);
}

void snapshot_read(fuse_req_t req, struct node *node, size_t size, off_t off)
{
	const struct snapshot *sn = node->snapshot;
	size_t at = (uint64_t)off < sn->len ? (size_t)off : sn->len;

	fuse_reply_buf(req, sn->text + at, size < sn->len - at ? size : sn->len - at);
}

void snapshot_poll(fuse_req_t req, struct fuse_pollhandle *ph)
{
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN | POLLRDNORM);
}
