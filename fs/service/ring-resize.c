/*
 * Many rings may be opened at once, and only so many looks of a user are under way (errand.h): the others wait in their
 * *queue*, in the order in which they were asked for. One ring has one look at a time, or the last word might not be the
 * last. A look that hangs is given up, and the next one goes.
 */
#include "ring-resize.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "clock.h"
#include "ring-look.h"
#include "services.h"

/* A wait for a scan, which goes on where nobody waits any more. */
struct ring_scan {
	struct descriptor_scan_waiter waiter;
	struct ring_resize *resize; /* NULL: it was given up */
};

/* A user's, while there are any. */
struct ring_queue {
	LIST_ENTRY(ring_queue) entry;
	uid_t uid;
	unsigned running;
	STAILQ_HEAD(, ring_resize) waiting;
};

static struct ring_queue *ring_queue_get(struct context *ctx, const struct inode *inode)
{
	struct ring_queue *q = inode->resizing;

	if (q)
		return q; /* another user's, if the channel has been given away */
	LIST_FOREACH(q, &ctx->services->ring_queues, entry)
		if (q->uid == inode->uid)
			return q;
	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->uid = inode->uid;
	STAILQ_INIT(&q->waiting);
	LIST_INSERT_HEAD(&ctx->services->ring_queues, q, entry);
	return q;
}

static void ring_queue_put(struct ring_queue *q)
{
	if (!q || q->running || !STAILQ_EMPTY(&q->waiting))
		return;
	LIST_REMOVE(q, entry);
	free(q);
}

static void ring_resize_end(struct ring_resize *r, int err, int granted)
{
	struct hold hold = r->hold;

	loop_io_cancel(&r->patience);
	r->err = err;
	r->granted = granted;
	r->done(r);
	hold_drop(&hold);
}

/* Returns 1: it is under way; 0: there is nobody to look at; or a negative errno. */
static int ring_resize_send(struct ring_resize *r)
{
	struct inode *inode = r->hold.inode;
	struct ring_look *l = r->look;
	int err;

	if (r->hold.ctx->leaving)
		return -ENOTCONN;
	l->size = r->size && inode->ring_size ? inode->ring_size : r->size;
	err = l->count ? errand_start(&l->errand, RING_RESIZE_PATIENCE_NSEC) : 0;
	if (!l->count || err < 0)
		return err;
	inode->resizing = r->queue;
	r->looks = true;
	return 1;
}

static void ring_queue_run(struct ring_queue *q)
{
	struct ring_resize *r;
	int err;

	while ((r = STAILQ_FIRST(&q->waiting)) && r->hold.inode->resizing != q) {
		struct ring_queue *other = r->hold.inode->resizing;

		err = other ? 0 : ring_resize_send(r);
		if (err == -EUSERS && q->running)
			return;
		STAILQ_REMOVE_HEAD(&q->waiting, next);
		if (other) { /* the channel has been given away, and who has it now was quicker: it is waited for there */
			r->queue = other;
			STAILQ_INSERT_TAIL(&other->waiting, r, next);
			continue;
		}
		if (err > 0) {
			q->running++;
			continue;
		}
		free(r->look);
		ring_resize_end(r, err, 0);
	}
}

static void ring_look_done(struct errand *e)
{
	struct ring_look *l = container_of(e, struct ring_look, errand);
	struct ring_resize *r = l->resize;
	struct ring_queue *q = r->queue;

	q->running--;
	r->hold.inode->resizing = NULL;
	if (e->late)
		ring_resize_end(r, -ETIMEDOUT, 0);
	else
		ring_resize_end(r, l->err, l->granted);
	ring_queue_run(q);
	ring_queue_put(q);
}

/* Returns 0 or -ENOMEM. */
static int ring_resize_queue(struct ring_resize *r)
{
	struct context *ctx = r->hold.ctx;
	struct ring_queue *q = ring_queue_get(ctx, r->hold.inode);

	r->look = q ? ring_look_create(ctx, node_name(r->hold.node), ring_look_done) : NULL;
	if (!r->look) {
		ring_queue_put(q);
		return -ENOMEM;
	}
	r->look->resize = r;
	r->queue = q;
	STAILQ_INSERT_TAIL(&q->waiting, r, next);
	ring_queue_run(q);
	ring_queue_put(q);
	return 0;
}

static void ring_scanned(struct descriptor_scan_waiter *w)
{
	struct ring_scan *scan = container_of(w, struct ring_scan, waiter);
	struct ring_resize *r = scan->resize;
	struct descriptor_scan_count ignored;

	free(scan);
	if (!r)
		return;
	r->scan = NULL;
	if (r->size && !descriptor_scan_count(r->hold.ctx->services->scan, node_name(r->hold.node), &ignored))
		ring_look_say_blind(-EPERM);
	if (ring_resize_queue(r) < 0)
		ring_resize_end(r, -ENOMEM, 0);
}

/* Whatever it waits for. */
static void ring_resize_impatient(struct loop_io *io, int res)
{
	struct ring_resize *r = container_of(io, struct ring_resize, patience);
	struct ring_queue *q = r->queue;

	if (r->looks) {
		errand_abandon(&r->look->errand);
		return;
	}
	if (q) {
		STAILQ_REMOVE(&q->waiting, r, ring_resize, next);
		free(r->look);
	} else if (r->scan) {
		r->scan->resize = NULL;
	}
	ring_resize_end(r, r->scan || q ? -ETIMEDOUT : -ENOMEM, 0);
	if (q) { /* the next one may wait for another ring, or for none */
		ring_queue_run(q);
		ring_queue_put(q);
	}
}

void ring_resize_start(struct ring_resize *r, const struct hold *hold, int size, uint64_t until,
		       void (*done)(struct ring_resize *))
{
	uint64_t now = clock_nsec();

	*r = (struct ring_resize){ .size = size, .done = done, .scan = calloc(1, sizeof(*r->scan)) };
	loop_io_init(&r->patience, hold->ctx->loop, ring_resize_impatient);
	hold_copy(&r->hold, hold);
	loop_io_timer(&r->patience, r->scan && until > now ? until - now : 0);
	if (!r->scan)
		return;
	r->scan->resize = r;
	r->scan->waiter = (struct descriptor_scan_waiter){ .done = ring_scanned, .anew = true };
	descriptor_scan_want(hold->ctx->services->scan, &r->scan->waiter);
}
