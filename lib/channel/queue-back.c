/*
 * What a reader had and has not read comes back, before everything queued: in pipes of its own, for splice(2) inserts
 * nothing. They get no more, however much they could hold, and would count as full with it (queue_wide()): so they are
 * made as small as they can be.
 */
#include "queue-parts.h"

#include <errno.h>
#include <stdlib.h>

#include "sys.h"

void queue_link_shrink(struct queue_link *link)
{
	size_t size = pipe_pages(link->bytes) * 4096;

	/* A reference has a whole page's place, and its bytes may be few: so it may be more than that. */
	for (; size && size < (size_t)link->capacity; size *= 2) {
		int granted = sys.resize(link->pipe.wr, (int)size);

		if (granted > 0 && granted < link->capacity) {
			link->capacity = granted;
			link->shrunk = true;
			return;
		}
	}
}

static void queue_room_free(struct queue_links *room)
{
	struct queue_link *link;

	while ((link = TAILQ_FIRST(room))) {
		TAILQ_REMOVE(room, link, entry);
		queue_link_destroy(link);
	}
}

/* Empty links that hold @size bytes, in however small pieces. Returns 0, or a negative errno and *room is empty. */
static int queue_room_make(struct queue_links *room, size_t size)
{
	size_t have = 0;

	while (have < size) {
		struct queue_link *link;
		int err = queue_link_create(&link);

		if (err < 0) {
			queue_room_free(room);
			return err;
		}
		have += (size_t)link->capacity;
		TAILQ_INSERT_TAIL(room, link, entry);
	}
	return 0;
}

ssize_t queue_take_back(struct queue *q, int fd, size_t size)
{
	struct queue_links room = TAILQ_HEAD_INITIALIZER(room);
	struct queue_link *first = TAILQ_FIRST(&q->links), *link;
	ssize_t taken = 0, n = queue_room_make(&room, size);

	if (n < 0)
		return n;
	while ((link = TAILQ_FIRST(&room))) {
		n = sys.splice(fd, link->pipe.wr, 1 << 30);
		if (n <= 0)
			break;
		taken += n;
		link->bytes = (size_t)n;
		TAILQ_REMOVE(&room, link, entry);
		queue_link_shrink(link);
		queue_link_insert(q, link, first);
	}
	queue_room_free(&room);
	if (taken)
		chunk_bounds_give_back(&q->bounds, (size_t)taken);
	return taken || n == -EAGAIN ? taken : n;
}

int queue_prepend(struct queue *q, struct pipe *pipe, size_t bytes, int size)
{
	struct queue_link *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->pipe = *pipe;
	link->bytes = bytes;
	link->capacity = size;
	*pipe = PIPE_NONE;
	queue_link_shrink(link);
	queue_link_insert(q, link, TAILQ_FIRST(&q->links));
	chunk_bounds_give_back(&q->bounds, bytes);
	return 0;
}
