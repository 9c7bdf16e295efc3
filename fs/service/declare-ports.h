/* The sources and sinks of declared channels. */
#pragma once

#include "config.h"
#include "context.h"

/*
 * Attaches what is declared for @channel, of the configuration in force, and for its taps: sinks first, and the sources
 * once all of those are open or have failed. @made: the nodes that are new, in the order of what is declared; others
 * have their ports already. What fails is logged.
 */
void declare_ports_attach(struct context *ctx, const struct declared *channel, struct node *const *made);
