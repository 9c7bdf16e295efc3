/*
 * Workers that stand (watchdog.h): what they wait for, and who does not let go of it, in the log and for who asks.
 */
#pragma once

#include "hold.h"

/* For struct context: a worker stands, or goes on. */
void standing_changed(struct context *ctx, struct worker *w);

/* What the worker of the channel stands in, which does stand; the caller's to free. NULL: out of memory. */
char *standing_words(const struct hold *hold);

/* Says in the log which workers stand. */
void standing_log(struct context *ctx);
