/*
 * Reading the configuration again. What can change while the mount is there, changes: defaults (of what is made from
 * then on), quotas, ports, and channels that were not declared before. A file with mistakes changes nothing.
 */
#pragma once

#include <jansson.h>

#include "context.h"

/*
 * On the FUSE thread, which does not wait. @done, where it is not NULL, is called once, perhaps at once, with an
 * answer that it takes: {"applied": [...], "not": [...]}, a text each, or an error (request.h) with "mistakes": [...].
 * NULL: out of memory. The log says the same.
 */
void reload_start(struct context *ctx, void (*done)(void *data, json_t *answer), void *data);

/* The end of the daemon: what is being read is given up, and every reload answered. */
void reload_leave(struct context *ctx);
