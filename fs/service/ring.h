/*
 * The rings of channels without taps: a ring goes with the last who has it open, so each new one is given the size that
 * the channel was set to. On the FUSE thread but for rings_opened().
 */
#pragma once

#include "context.h"

struct channel;
struct rings;

/* Between two times that descriptors are looked for, however many open what. */
#define RING_RESIZE_NSEC 250000000

/* Returns 0 or -ENOMEM. */
int rings_create(struct rings **rings, struct context *ctx);

/* The end of the daemon: those that wait are let go. */
void rings_leave(struct rings *rings);

/* Nothing may be under way. NULL-safe. */
void rings_destroy(struct rings *rings);

/* For struct engine_events, on a worker's thread. */
void rings_opened(void *data, struct channel *ch, int size);
