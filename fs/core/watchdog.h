/*
 * The watchdog: whether each worker comes back from what it calls, and each job that somebody waits for.
 *
 * A worker that waits in the kernel for a lock that a user holds cannot be helped (engine.h). Here it is seen by another
 * thread: it *stands* from its WATCHDOG_STANDS_TICKS on, whoever waits for a job of it is answered, and the hook tells of it
 * (ctx->stands). All on the FUSE thread, which ticks only while there is something to look at.
 */
#pragma once

#include "context.h"

#define WATCHDOG_TICK_NSEC 500000000u

/* A worker stands that is seen in the same turn of its loop so many times after the first. */
#define WATCHDOG_STANDS_TICKS 2

/* Ticks from now on, while workers have channels or somebody waits for a job. No-op where it does. */
void watchdog_start(struct context *ctx);
