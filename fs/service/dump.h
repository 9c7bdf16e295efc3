/* A dump: what every channel and its taps are doing and wait for, in the log. For who asks why a stream stands still. */
#pragma once

#include "context.h"

/* Soon, a line for each channel and tap; of channels without an object there is nothing to say. */
void dump_log(struct context *ctx);
