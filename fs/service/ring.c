/*
 * All rings that wait are resized together, so one scan serves them; who opens one meanwhile is in the next turn, for
 * this one's scan may have been past them.
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

struct ring {
	LIST_ENTRY(ring) entry;
	struct rings *rings;
	struct hold hold; /* by the origin */
	int size;
	bool running;
	bool again;
	struct ring_resize resize;
};

struct rings {
	struct context *ctx;
	LIST_HEAD(, ring) all;
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
	LIST_REMOVE(ring, entry);
	hold_drop(&ring->hold);
	free(ring);
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
	if (!ring->again || r->ctx->leaving)
		ring_free(ring);
	else
		ring->again = false;
	if (--r->running == 0 && !r->ctx->leaving)
		loop_io_timer(&r->pause, RING_RESIZE_NSEC);
}

static void rings_run(struct rings *r)
{
	struct ring *ring;

	LIST_FOREACH(ring, &r->all, entry) {
		ring->running = true;
		r->running++;
		ring_resize_start(&ring->resize, &ring->hold, ring->size, ring_done);
	}
}

static void rings_paused(struct loop_io *io, int res)
{
	rings_run(container_of(io, struct rings, pause));
}

static void rings_add(struct rings *r, struct node *node, int size)
{
	struct ring *ring;

	LIST_FOREACH(ring, &r->all, entry)
		if (ring->hold.node == node)
			break;
	if (!ring) {
		ring = calloc(1, sizeof(*ring));
		if (!ring) {
			log_user_err(LOG_SOMEBODY, "out of memory; a ring keeps the size that it was opened with");
			return;
		}
		if (hold_take(&ring->hold, r->ctx, node) < 0) {
			free(ring);
			return;
		}
		ring->rings = r;
		LIST_INSERT_HEAD(&r->all, ring, entry);
	}
	ring->size = size;
	ring->again = ring->running;
	if (!r->running && !loop_io_armed(&r->pause))
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
		log_user_err(ch->user, "out of memory; %s keeps the size that it was opened with", ch->label);
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
	LIST_INIT(&r->all);
	loop_io_init(&r->pause, ctx->loop, rings_paused);
	*out = r;
	return 0;
}

void rings_leave(struct rings *r)
{
	struct ring *ring, *next;

	loop_io_cancel(&r->pause);
	for (ring = LIST_FIRST(&r->all); ring; ring = next) {
		next = LIST_NEXT(ring, entry);
		if (!ring->running)
			ring_free(ring);
	}
}

void rings_destroy(struct rings *r)
{
	free(r);
}
