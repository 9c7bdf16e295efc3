/* What the files of a queue share: its links. Nobody else sees them. */
#pragma once

#include "queue.h"

struct queue_link {
	TAILQ_ENTRY(queue_link) entry;
	struct pipe pipe;
	size_t bytes;
	int capacity; /* in bytes */
	bool shrunk;  /* to what is in it: too small for the spare one */
};

/* An empty link, the caller's. Returns 0, -EMFILE, -ENFILE or -ENOMEM. */
int queue_link_create(struct queue_link **link);

/* NULL-safe. */
void queue_link_destroy(struct queue_link *link);

/* Puts the link before another one, or at the tail (NULL). */
void queue_link_insert(struct queue *q, struct queue_link *link, struct queue_link *before);

/*
 * Makes the pipe as small as what is in it allows, for a link that is to get no more: it counts, as long as it is there,
 * with what it may hold. Before it is put into a queue.
 */
void queue_link_shrink(struct queue_link *link);

/* *out: the link that begins behind the first @len bytes, made if need be. Returns 0 or a negative errno. */
int queue_link_at(struct queue *q, size_t len, struct queue_link **out);

/* Drops @len bytes from @link on. The first pipe that is emptied is the spare one, where there is none. */
int queue_drop_from(struct queue *q, struct queue_link *link, size_t len, int sink);

/*
 * Bytes from the start of @link up to the next start of a line behind it; 0: it may be cut right there. Or -ENOENT: there is
 * none up to the queue's end, or a negative errno. Whatever the records are by now, a loose chunk is of lines.
 */
ssize_t queue_link_find_line(struct queue_link *link);

/* @n bytes have been taken from the link; an empty one is not a part of the queue any more. */
void queue_link_taken(struct queue *q, struct queue_link *link, size_t n);

/* Takes the link off the list, with the bytes that are in it. */
void queue_link_remove(struct queue *q, struct queue_link *link);
