/* What the files of a queue share: its links. Nobody else sees them. */
#pragma once

#include "queue.h"

struct queue_link {
	TAILQ_ENTRY(queue_link) entry;
	struct pipe pipe;
	size_t bytes;
	int capacity; /* in bytes */
};

/* An empty link, or NULL with a negative errno in *err: EMFILE, ENFILE, ENOMEM. */
struct queue_link *queue_link_create(int *err);

/* NULL-safe. */
void queue_link_destroy(struct queue_link *link);

/* Puts the link before another one, or at the tail (NULL). */
void queue_link_insert(struct queue *q, struct queue_link *link, struct queue_link *before);

/* @n bytes have been taken from the link; an empty one is not a part of the queue any more. */
void queue_link_taken(struct queue *q, struct queue_link *link, size_t n);

/* Takes the link off the list, with the bytes that are in it. */
void queue_link_remove(struct queue *q, struct queue_link *link);
