/*
 * The rings of channels without taps: a ring goes with the last who has it open, so each new one is given the size that
 * the channel was set to. On the FUSE thread but for ring_opened().
 */
#pragma once

#include "server.h"

/* Between two times that descriptors are looked for, however many open what. */
#define RING_RESIZE_NSEC 250000000

/* Returns 0 or -ENOMEM. */
int ring_create(struct rings **rings, struct server *s);

/* Nothing may be under way. NULL-safe. */
void ring_destroy(struct rings *rings);

/* For struct engine_events, on a worker's thread. */
void ring_opened(void *server, struct channel *ch, int size);
