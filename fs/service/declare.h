/* Declared channels: those of the configuration, which are there from the mount on. On the FUSE thread. */
#pragma once

#include "config.h"
#include "context.h"

/*
 * Makes what the configuration in force declares and is not there yet. What there is already is left as it is. What
 * fails is logged, and does not stop the rest. Where they are not NULL, @made and @stays get a line each, and @before is
 * the configuration that was in force.
 *
 * @done is called once every tap is in its place, perhaps at once. Sources and sinks come when they are open: the
 * sources of a channel after its sinks and those of its taps, which so miss nothing.
 */
void declare_all(struct context *ctx, const struct config *before, struct lines *made, struct lines *stays,
		 void (*done)(void *data), void *data);
