/* The numbers of a mount in the text format of Prometheus. */
#pragma once

#include <jansson.h>

/* @stats: what .spfs/stats.json says. Names may hold anything. Returns a string, or NULL when out of memory. */
char *metrics_text(const json_t *stats);
