/*
 * The rings of channels without taps: a ring goes with the last who has it open, so each new one is given the size that
 * the channel was set to. On the FUSE thread but for rings_opened().
 */
#pragma once

#include "server.h"

/* Between two times that descriptors are looked for, however many open what. */
#define RINGS_NSEC 250000000

/* Returns 0 or -ENOMEM. */
int rings_create(struct rings **rings, struct server *s);

/* Nothing may be under way. NULL-safe. */
void rings_destroy(struct rings *rings);

/* For struct engine_events, on a worker's thread. */
void rings_opened(void *server, struct channel *ch, int size);
