/* The topology of a mount as a graph in the language of Graphviz: sources, channels, taps, sinks and who reads. */
#pragma once

#include <jansson.h>

/*
 * @stats: what .spfs/stats.json says. @before: the same @seconds earlier: the edges then tell rates, and without it
 * (NULL) the bytes so far. Names may hold anything. Returns a string, or NULL when out of memory.
 */
char *topology_dot(const json_t *stats, const json_t *before, double seconds);
