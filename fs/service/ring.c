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
#include "inode.h"
#include "log.h"
#include "ring-resize.h"
#include "tee.h"

struct ring {
	LIST_ENTRY(ring) entry;
	struct rings *rings;
	struct node *node; /* the origin; kept */
	int size;
	bool running;
	bool again;
	struct ring_resize resize;
};

struct rings {
	struct server *server;
	LIST_HEAD(, ring) all;
	unsigned running;
	struct loop_io pause;
};

/* From a worker to the FUSE thread. */
struct opened {
	struct loop_task task;
	struct server *server;
	struct channel *channel; /* never followed: it may be gone */
	uint64_t id;             /* of the origin */
	int size;
};

static void put(struct ring *ring)
{
	struct server *s = ring->rings->server;
	struct node *node = ring->node;
	struct inode *inode = node->inode;

	LIST_REMOVE(ring, entry);
	free(ring);
	inode->refs++;
	inode->busy--;
	node->pins--;
	node_release(&s->nodes, node);
	tee_channel_put(s, inode);
	inode_put(inode);
}

static void resized(struct ring_resize *resize)
{
	struct ring *ring = container_of(resize, struct ring, resize);
	struct rings *r = ring->rings;

	if (resize->err < 0) {
		_cleanup_free_ char *path = node_path(ring->node);

		log_info("%s: its ring, just opened, does not get %d bytes: %s", path ? path : "?", ring->size,
			 strerror(-resize->err));
	}
	ring->running = false;
	if (!ring->again || r->server->left)
		put(ring);
	else
		ring->again = false;
	if (--r->running == 0)
		loop_io_timer(&r->pause, RING_RESIZE_NSEC);
}

static void run(struct rings *r)
{
	struct ring *ring;

	LIST_FOREACH(ring, &r->all, entry) {
		ring->running = true;
		r->running++;
		ring_resize_start(&ring->resize, r->server, ring->node, ring->size, resized);
	}
}

static void paused(struct loop_io *io, int res)
{
	struct rings *r = container_of(io, struct rings, pause);

	if (!r->server->left)
		run(r);
}

static void add(struct rings *r, struct node *node, int size)
{
	struct ring *ring;

	LIST_FOREACH(ring, &r->all, entry)
		if (ring->node == node)
			break;
	if (!ring) {
		ring = calloc(1, sizeof(*ring));
		if (!ring) {
			log_err("out of memory; a ring keeps the size that it was opened with");
			return;
		}
		ring->rings = r;
		ring->node = node;
		node->pins++;
		node->inode->busy++;
		LIST_INSERT_HEAD(&r->all, ring, entry);
	}
	ring->size = size;
	ring->again = ring->running;
	if (!r->running && !loop_io_armed(&r->pause))
		run(r);
}

static void opened(struct loop_task *task)
{
	struct opened *o = container_of(task, struct opened, task);
	struct server *s = o->server;
	struct node *node = node_get(&s->nodes, o->id);

	if (!s->left && node && node->inode->channel == o->channel && node->inode->origin == node &&
	    !node->inode->taps)
		add(s->rings, node, o->size);
	free(o);
}

void ring_opened(void *server, struct channel *ch, int size)
{
	struct opened *o = calloc(1, sizeof(*o));
	struct server *s = server;

	if (!o) {
		log_err("out of memory; %s keeps the size that it was opened with", ch->label);
		return;
	}
	*o = (struct opened){ .task.run = opened, .server = s, .channel = ch, .id = ch->origin.id, .size = size };
	loop_post(s->loop, &o->task);
}

int ring_create(struct rings **out, struct server *s)
{
	struct rings *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->server = s;
	LIST_INIT(&r->all);
	loop_io_init(&r->pause, s->loop, paused);
	*out = r;
	return 0;
}

void ring_destroy(struct rings *r)
{
	struct ring *ring;

	if (!r)
		return;
	while ((ring = LIST_FIRST(&r->all))) {
		LIST_REMOVE(ring, entry);
		free(ring);
	}
	free(r);
}
