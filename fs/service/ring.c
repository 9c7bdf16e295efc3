/*
 * All rings that wait are resized together, so one scan serves them; who opens one meanwhile is in the next round, for
 * this one's scan may have been past them. Of a round there may be many, so they are begun in turns.
 */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "log.h"
#include "ring-resize.h"
#include "services.h"
#include "turns.h"

struct ring {
	UT_hash_handle by_node;
	TAILQ_ENTRY(ring) entry; /* unless it runs */
	struct rings *rings;
	struct hold hold; /* by the origin */
	int size;
	bool running;
	bool again;
	struct ring_resize resize;
};

TAILQ_HEAD(ring_list, ring);

struct rings {
	struct context *ctx;
	struct ring *all;
	struct ring_list waiting;  /* for the next round */
	struct ring_list starting; /* those of this round that do not run yet */
	struct turns turns;
	bool starts; /* the turns are under way */
	unsigned running;
	struct loop_io pause;
};

/* From a worker to the FUSE thread. */
struct ring_open {
	struct loop_task task;
	struct context *ctx;
	struct channel *channel; /* never followed: it may be gone */
	uint64_t id;             /* of the origin */
	int size;
};

static void ring_free(struct ring *ring)
{
	HASH_DELETE(by_node, ring->rings->all, ring);
	hold_drop(&ring->hold);
	free(ring);
}

static void rings_end_round(struct rings *r)
{
	if (!r->running && !r->starts && !r->ctx->leaving)
		loop_io_timer(&r->pause, RING_RESIZE_NSEC);
}

static void ring_done(struct ring_resize *resize)
{
	struct ring *ring = container_of(resize, struct ring, resize);
	struct rings *r = ring->rings;

	if (resize->err < 0) {
		_cleanup_free_ char *path = node_path(ring->hold.node);

		log_user_info(ring->hold.inode->uid, "%s: its ring, just opened, does not get %d bytes: %s",
			      path ? path : "?", ring->size, strerror(-resize->err));
	}
	ring->running = false;
	r->running--;
	if (!ring->again || r->ctx->leaving)
		ring_free(ring);
	else
		TAILQ_INSERT_TAIL(&r->waiting, ring, entry);
	rings_end_round(r);
}

static unsigned rings_start_next(struct turns *t)
{
	struct rings *r = container_of(t, struct rings, turns);
	struct ring *ring = TAILQ_FIRST(&r->starting);

	if (!ring)
		return 0;
	TAILQ_REMOVE(&r->starting, ring, entry);
	ring->running = true;
	ring->again = false;
	r->running++;
	ring_resize_start(&ring->resize, &ring->hold, ring->size, job_deadline(), ring_done);
	return 1;
}

static void rings_started(struct turns *t)
{
	struct rings *r = container_of(t, struct rings, turns);

	r->starts = false;
	rings_end_round(r);
}

static void rings_run(struct rings *r)
{
	if (TAILQ_EMPTY(&r->waiting))
		return;
	TAILQ_CONCAT(&r->starting, &r->waiting, entry);
	r->starts = true;
	r->turns = (struct turns){ .loop = r->ctx->loop, .step = rings_start_next, .done = rings_started };
	turns_start(&r->turns);
}

static void rings_paused(struct loop_io *io, int res)
{
	rings_run(container_of(io, struct rings, pause));
}

/* NULL: out of memory, or the daemon is leaving. */
static struct ring *ring_create(struct rings *r, struct node *node)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	if (ring && hold_take(&ring->hold, r->ctx, node) < 0) {
		free(ring);
		return NULL;
	}
	if (ring)
		HASH_ADD(by_node, r->all, hold.node, sizeof(node), ring);
	if (!ring || !ring->by_node.tbl) {
		log_user_err(LOG_SOMEBODY, "out of memory; a ring keeps the size that it was opened with");
		if (ring)
			hold_drop(&ring->hold);
		free(ring);
		return NULL;
	}
	ring->rings = r;
	TAILQ_INSERT_TAIL(&r->waiting, ring, entry);
	return ring;
}

static void rings_add(struct rings *r, struct node *node, int size)
{
	struct ring *ring;

	HASH_FIND(by_node, r->all, &node, sizeof(node), ring);
	if (!ring)
		ring = ring_create(r, node);
	if (!ring)
		return;
	ring->size = size;
	ring->again = ring->running;
	if (!r->running && !r->starts && !loop_io_armed(&r->pause))
		rings_run(r);
}

static void rings_told(struct loop_task *task)
{
	struct ring_open *o = container_of(task, struct ring_open, task);
	struct context *ctx = o->ctx;
	struct node *node = node_get(&ctx->nodes, o->id);

	if (node && hold_is_of(node->inode, o->channel) && node->inode->origin == node && !node->inode->taps)
		rings_add(ctx->services->rings, node, o->size);
	free(o);
}

void rings_opened(void *data, struct channel *ch, int size)
{
	struct ring_open *o = calloc(1, sizeof(*o));
	struct context *ctx = data;

	if (!o) {
		log_err("out of memory; %s keeps the size that it was opened with", ch->label);
		return;
	}
	*o = (struct ring_open){ .task.run = rings_told, .ctx = ctx, .channel = ch, .id = ch->origin.id, .size = size };
	loop_post(ctx->loop, &o->task);
}

int rings_create(struct rings **out, struct context *ctx)
{
	struct rings *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->ctx = ctx;
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->starting);
	loop_io_init(&r->pause, ctx->loop, rings_paused);
	*out = r;
	return 0;
}

void rings_leave(struct rings *r)
{
	struct ring *ring;

	loop_io_cancel(&r->pause);
	TAILQ_CONCAT(&r->waiting, &r->starting, entry);
	while ((ring = TAILQ_FIRST(&r->waiting))) {
		TAILQ_REMOVE(&r->waiting, ring, entry);
		ring_free(ring);
	}
}

void rings_destroy(struct rings *r)
{
	free(r);
}
