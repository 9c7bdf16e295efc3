/*
 * One scan at a time; one that does not come back in time is given up, and then it is not known who has what open until
 * the next has come back.
 */
#include "descriptor-scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "base.h"
#include "clock.h"
#include "descriptor-list.h"
#include "errand.h"
#include "log.h"
#include "services.h"

struct descriptor_scan {
	struct context *ctx;
	struct descriptor_look *look; /* NULL: no scan is under way */
	bool failing;                 /* none could be begun, and who waits is about to be told */
	struct loop_task failure;
	bool blind;
	uint64_t finished;           /* when, in nanoseconds; 0: never */
	struct descriptor_list seen; /* by node */
	TAILQ_HEAD(, descriptor_scan_waiter) waiters;

	atomic_bool asked;
	struct loop_task task;
	struct loop_io timer;
};

/* A scan under way: the errand's. */
struct descriptor_look {
	struct errand errand;
	struct descriptor_scan *scan;
	struct descriptor_list list;
	bool blind;
	char mountpoint[];
};

static void descriptor_look_run(struct errand *e)
{
	struct descriptor_look *look = container_of(e, struct descriptor_look, errand);

	look->blind = !descriptor_list_read(&look->list, look->mountpoint);
}

static void descriptor_look_free(struct errand *e)
{
	struct descriptor_look *look = container_of(e, struct descriptor_look, errand);

	descriptor_list_clear(&look->list);
	free(look);
}

/* ---- on the FUSE thread ---- */

static void descriptor_scan_tell_foreign(const struct descriptor_scan *sv, const struct descriptor_list *before,
					 struct descriptor *s, const struct node *node)
{
	_cleanup_free_ char *path = NULL;

	s->foreign = true;
	for (size_t i = 0; i < before->count; i++)
		if (before->all[i].foreign && before->all[i].pid == s->pid && before->all[i].node == s->node)
			return;
	path = node_path(node);
	log_user_warn(node->inode->uid, "%s: process %d can read the origin beside its taps: what it reads, they miss",
		      path ? path : "?", s->pid);
}

/* They are counted for one node after the other, of which there may be many. */
static int descriptor_by_node(const void *a, const void *b)
{
	uint64_t left = ((const struct descriptor *)a)->node, right = ((const struct descriptor *)b)->node;

	return (left > right) - (left < right);
}

static void descriptor_scan_run(struct descriptor_scan *sv);

/* Who waits for this scan is told; who waits for a later one goes on. */
static void descriptor_scan_tell_waiters(struct descriptor_scan *sv)
{
	TAILQ_HEAD(, descriptor_scan_waiter) ready = TAILQ_HEAD_INITIALIZER(ready);
	struct descriptor_scan_waiter *w, *next;

	for (w = TAILQ_FIRST(&sv->waiters); w; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (w->early) {
			w->early = false;
			continue;
		}
		TAILQ_REMOVE(&sv->waiters, w, entry);
		TAILQ_INSERT_TAIL(&ready, w, entry);
	}
	if (!TAILQ_EMPTY(&sv->waiters))
		descriptor_scan_run(sv);
	while ((w = TAILQ_FIRST(&ready))) {
		TAILQ_REMOVE(&ready, w, entry);
		w->done(w);
	}
}

/* @look: NULL, or given up: it is not known. */
static void descriptor_scan_finish(struct descriptor_scan *sv, struct descriptor_look *look)
{
	struct descriptor_list before = sv->seen;

	sv->look = NULL;
	sv->failing = false;
	sv->seen = (struct descriptor_list){ 0 };
	sv->blind = !look || look->errand.late || look->blind;
	if (look && !look->errand.late) {
		sv->seen = look->list;
		look->list = (struct descriptor_list){ 0 };
	}
	sv->finished = clock_nsec();
	for (size_t i = 0; i < sv->seen.count; i++) {
		struct descriptor *s = &sv->seen.all[i];
		struct node *node = access_find(sv->ctx->nodes.root, s->path);

		if (!node || node->kind != NODE_FIFO)
			continue;
		s->node = node->id;
		if (!node_is_tap(node) && node->inode->taps && (s->flags & O_ACCMODE) != O_WRONLY)
			descriptor_scan_tell_foreign(sv, &before, s, node);
	}
	descriptor_list_clear(&before);
	if (sv->seen.count)
		qsort(sv->seen.all, sv->seen.count, sizeof(sv->seen.all[0]), descriptor_by_node);
	descriptor_scan_tell_waiters(sv);
}

static void descriptor_look_done(struct errand *e)
{
	struct descriptor_look *look = container_of(e, struct descriptor_look, errand);

	if (e->late)
		log_user_warn(
			LOG_SOMEBODY,
			"it takes too long to find out who has what open: there are too many descriptors, or one hangs");
	descriptor_scan_finish(look->scan, look);
}

static void descriptor_scan_failed(struct loop_task *task)
{
	descriptor_scan_finish(container_of(task, struct descriptor_scan, failure), NULL);
}

static void descriptor_scan_run(struct descriptor_scan *sv)
{
	const char *mountpoint = sv->ctx->mountpoint;
	struct descriptor_look *look;
	int err = -ENOMEM;

	if (sv->look || sv->failing)
		return;
	look = calloc(1, sizeof(*look) + strlen(mountpoint) + 1);
	if (look) {
		look->errand = (struct errand){ .run = descriptor_look_run,
						.done = descriptor_look_done,
						.free = descriptor_look_free,
						.loop = sv->ctx->loop,
						.uid = ERRAND_NOBODY };
		look->scan = sv;
		strcpy(look->mountpoint, mountpoint);
		err = errand_start(&look->errand, DESCRIPTOR_SCAN_PATIENCE_NSEC);
	}
	if (err == 0) {
		sv->look = look;
		return;
	}
	log_user_warn(LOG_SOMEBODY, "it is not known who has what open: %s", strerror(-err));
	free(look);
	sv->failing = true;
	loop_post(sv->ctx->loop, &sv->failure);
}

void descriptor_scan_want(struct descriptor_scan *sv, struct descriptor_scan_waiter *w)
{
	if (!w->anew && !sv->look && sv->finished && clock_nsec() - sv->finished < DESCRIPTOR_SCAN_FRESH_NSEC) {
		w->done(w);
		return;
	}
	w->early = w->anew && sv->look;
	TAILQ_INSERT_TAIL(&sv->waiters, w, entry);
	descriptor_scan_run(sv);
}

bool descriptor_scan_count(const struct descriptor_scan *sv, const struct node *node,
			   struct descriptor_scan_count *count)
{
	size_t low = 0, high = sv->seen.count;

	*count = (struct descriptor_scan_count){ 0 };
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sv->seen.all[middle].node < node->id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < sv->seen.count && sv->seen.all[low].node == node->id; low++) {
		const struct descriptor *s = &sv->seen.all[low];

		count->readers += (s->flags & O_ACCMODE) != O_WRONLY;
		count->writers += (s->flags & O_ACCMODE) != O_RDONLY;
	}
	return !sv->blind;
}

size_t descriptor_scan_holders(const struct descriptor_scan *sv, const struct node *node,
			       struct descriptor_scan_holder *list, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < sv->seen.count && n < max; i++)
		if (sv->seen.all[i].node == node->id)
			list[n++] = (struct descriptor_scan_holder){ .pid = sv->seen.all[i].pid,
								     .fd = sv->seen.all[i].fd };
	return n;
}

static void descriptor_scan_timer_ready(struct loop_io *io, int res)
{
	struct descriptor_scan *sv = container_of(io, struct descriptor_scan, timer);

	atomic_store(&sv->asked, false);
	descriptor_scan_run(sv);
}

static void descriptor_scan_asked(struct loop_task *task)
{
	struct descriptor_scan *sv = container_of(task, struct descriptor_scan, task);
	uint64_t since = clock_nsec() - sv->finished;

	if (sv->finished && since < DESCRIPTOR_SCAN_PAUSE_NSEC)
		loop_io_timer(&sv->timer, DESCRIPTOR_SCAN_PAUSE_NSEC - since);
	else
		descriptor_scan_timer_ready(&sv->timer, 0);
}

void descriptor_scan_origin_opened(void *data)
{
	struct descriptor_scan *sv = ((struct context *)data)->services->scan;

	if (!atomic_exchange(&sv->asked, true))
		loop_post(sv->ctx->loop, &sv->task);
}

void descriptor_scan_leave(struct descriptor_scan *sv)
{
	if (sv->look)
		errand_abandon(&sv->look->errand);
}

int descriptor_scan_create(struct descriptor_scan **out, struct context *ctx)
{
	struct descriptor_scan *sv = calloc(1, sizeof(*sv));

	if (!sv)
		return -ENOMEM;
	sv->ctx = ctx;
	sv->task.run = descriptor_scan_asked;
	sv->failure.run = descriptor_scan_failed;
	TAILQ_INIT(&sv->waiters);
	loop_io_init(&sv->timer, ctx->loop, descriptor_scan_timer_ready);
	*out = sv;
	return 0;
}

void descriptor_scan_destroy(struct descriptor_scan *sv)
{
	if (!sv)
		return;
	descriptor_list_clear(&sv->seen);
	free(sv);
}
