/*
 * One scan at a time; one that does not come back in time is given up, and then it is not known who has what open until
 * the next has come back.
 *
 * What has been read is matched with nodes (descriptor-scan-match.c), and then who waits is told, both in turns, for users
 * may have any number of descriptors, and ask for any number of scans.
 */
#include "descriptor-scan-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "errand.h"
#include "log.h"
#include "services.h"

/* A scan under way: the errand's. */
struct descriptor_look {
	struct errand errand;
	struct descriptor_scan *scan;
	struct descriptor_list list;
	bool blind;
	dev_t dev;
	char mountpoint[];
};

static void descriptor_look_run(struct errand *e)
{
	struct descriptor_look *look = container_of(e, struct descriptor_look, errand);

	look->blind = !descriptor_list_read(&look->list, look->mountpoint, look->dev);
}

static void descriptor_look_free(struct errand *e)
{
	struct descriptor_look *look = container_of(e, struct descriptor_look, errand);

	descriptor_list_clear(&look->list);
	free(look);
}

/* ---- who waits ---- */

static void descriptor_scan_run(struct descriptor_scan *sv);

/* What it does for all it may do for some hundred that wait. */
#define TELLING_THINGS 8

static unsigned descriptor_scan_tell_next(struct turns *t)
{
	struct descriptor_scan *sv = container_of(t, struct descriptor_scan, turns);
	struct descriptor_scan_waiter *w = TAILQ_FIRST(&sv->ready);

	if (!w)
		return 0;
	TAILQ_REMOVE(&sv->ready, w, entry);
	w->done(w);
	return TELLING_THINGS;
}

static void descriptor_scan_told(struct turns *t)
{
	struct descriptor_scan *sv = container_of(t, struct descriptor_scan, turns);

	sv->state = DESCRIPTOR_SCAN_IDLE;
	if (!TAILQ_EMPTY(&sv->waiters))
		descriptor_scan_run(sv);
}

/* Who waits for this scan is told; who waits for a later one goes on. */
static void descriptor_scan_finish(struct descriptor_scan *sv)
{
	descriptor_list_clear(&sv->seen);
	sv->seen = sv->found;
	sv->found = (struct descriptor_list){ 0 };
	sv->number++;
	sv->finished = clock_nsec();
	sv->state = DESCRIPTOR_SCAN_TELLING;
	TAILQ_CONCAT(&sv->ready, &sv->waiters, entry);
	TAILQ_CONCAT(&sv->waiters, &sv->later, entry);
	sv->turns = (struct turns){ .loop = sv->ctx->loop,
				    .step = descriptor_scan_tell_next,
				    .done = descriptor_scan_told };
	turns_start(&sv->turns);
}

/* ---- a scan ---- */

static void descriptor_scan_matched(struct turns *t)
{
	descriptor_scan_finish(container_of(t, struct descriptor_scan, turns));
}

static void descriptor_look_done(struct errand *e)
{
	struct descriptor_look *look = container_of(e, struct descriptor_look, errand);
	struct descriptor_scan *sv = look->scan;

	sv->look = NULL;
	sv->blind = e->late || look->blind;
	if (e->late) {
		log_user_warn(
			LOG_SOMEBODY,
			"it takes too long to find out who has what open: there are too many descriptors, or one hangs");
		descriptor_scan_finish(sv);
		return;
	}
	sv->found = look->list;
	look->list = (struct descriptor_list){ 0 };
	sv->at = 0;
	sv->state = DESCRIPTOR_SCAN_MATCHING;
	sv->turns = (struct turns){ .loop = sv->ctx->loop,
				    .step = descriptor_scan_match_next,
				    .done = descriptor_scan_matched };
	turns_start(&sv->turns);
}

static void descriptor_scan_failed(struct loop_task *task)
{
	struct descriptor_scan *sv = container_of(task, struct descriptor_scan, failure);

	sv->blind = true;
	descriptor_scan_finish(sv);
}

static void descriptor_scan_run(struct descriptor_scan *sv)
{
	const char *mountpoint = sv->ctx->mountpoint;
	struct descriptor_look *look;
	int err = sv->ctx->leaving ? -ENOTCONN : -ENOMEM;

	if (sv->state != DESCRIPTOR_SCAN_IDLE)
		return;
	look = sv->ctx->leaving ? NULL : calloc(1, sizeof(*look) + strlen(mountpoint) + 1);
	if (look) {
		look->errand = (struct errand){ .run = descriptor_look_run,
						.done = descriptor_look_done,
						.free = descriptor_look_free,
						.loop = sv->ctx->loop,
						.uid = ERRAND_NOBODY };
		look->scan = sv;
		look->dev = sv->ctx->dev;
		strcpy(look->mountpoint, mountpoint);
		err = errand_start(&look->errand, DESCRIPTOR_SCAN_PATIENCE_NSEC);
	}
	if (err == 0) {
		sv->look = look;
		sv->state = DESCRIPTOR_SCAN_READING;
		return;
	}
	if (!sv->ctx->leaving)
		log_user_warn(LOG_SOMEBODY, "it is not known who has what open: %s", strerror(-err));
	free(look);
	sv->state = DESCRIPTOR_SCAN_FAILING;
	loop_post(sv->ctx->loop, &sv->failure);
}

void descriptor_scan_want(struct descriptor_scan *sv, struct descriptor_scan_waiter *w)
{
	bool through = sv->state == DESCRIPTOR_SCAN_IDLE || sv->state == DESCRIPTOR_SCAN_TELLING;

	if (!w->anew && through && sv->finished && clock_nsec() - sv->finished < DESCRIPTOR_SCAN_FRESH_NSEC) {
		w->done(w);
		return;
	}
	if (w->anew && !through)
		TAILQ_INSERT_TAIL(&sv->later, w, entry);
	else
		TAILQ_INSERT_TAIL(&sv->waiters, w, entry);
	descriptor_scan_run(sv);
}

/* ---- what is known ---- */

bool descriptor_scan_count(const struct descriptor_scan *sv, const struct node *node,
			   struct descriptor_scan_count *count)
{
	const struct node_users *u = &node->users;

	*count = (struct descriptor_scan_count){ 0 };
	if (u->scan && u->scan >= sv->number)
		*count = (struct descriptor_scan_count){ .readers = u->readers, .writers = u->writers };
	return !sv->blind;
}

size_t descriptor_scan_holders(const struct descriptor_scan *sv, const struct node *node,
			       struct descriptor_scan_holder *list, size_t max)
{
	const struct descriptor_list *found = node->users.scan > sv->number ? &sv->found : &sv->seen;
	size_t n = 0;

	for (size_t i = descriptor_list_find(found, node->id, 0); i < found->count && n < max; i++) {
		if (found->all[i].node != node->id)
			break;
		list[n++] = (struct descriptor_scan_holder){ .pid = found->all[i].pid, .fd = found->all[i].fd };
	}
	return n;
}

static void descriptor_scan_timer_ready(struct loop_io *io, int res)
{
	struct descriptor_scan *sv = container_of(io, struct descriptor_scan, timer);

	if (sv->state != DESCRIPTOR_SCAN_IDLE) { /* one is under way, and may have been past who has opened it */
		loop_io_timer(io, DESCRIPTOR_SCAN_PAUSE_NSEC);
		return;
	}
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
	TAILQ_INIT(&sv->later);
	TAILQ_INIT(&sv->ready);
	loop_io_init(&sv->timer, ctx->loop, descriptor_scan_timer_ready);
	*out = sv;
	return 0;
}

void descriptor_scan_destroy(struct descriptor_scan *sv)
{
	if (!sv)
		return;
	descriptor_list_clear(&sv->seen);
	descriptor_list_clear(&sv->found);
	free(sv);
}
