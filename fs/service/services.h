/*
 * The services of a mount: what operations, attributes and the control socket ask for, and what the engine's workers
 * tell of. One file a service; here is only what they keep, so that they can be begun and ended together.
 */
#pragma once

#include "context.h"

struct attach;
struct collector;
struct descriptor_scan;
struct engine_events;
struct events_watch;
struct port_keep;
struct port_wait;
struct ports_ask;
struct reload;
struct ring_queue;
struct rings;
struct visits;

struct services {
	struct descriptor_scan *scan;
	struct collector *collector;
	struct rings *rings;
	LIST_HEAD(, ring_queue) ring_queues; /* of resizings */
	LIST_HEAD(, attach) attaches;        /* under way */
	struct port_keep *keeps;             /* port-wait.h's table */
	LIST_HEAD(, port_wait) waits;
	LIST_HEAD(, ports_ask) port_asks;
	LIST_HEAD(, events_watch) watches;
	TAILQ_HEAD(, reload) reloads;
	struct visits *visits;
};

/* Makes them, in ctx->services. Returns 0 or -ENOMEM; services_destroy() is owed either way. */
int services_create(struct context *ctx);

/* What they want to be told by the engine. */
void services_hear(struct context *ctx, struct engine_events *events);

/* The end: what is under way is given up, and every hold dropped by and by. */
void services_leave(struct context *ctx);

/* When no other thread works any more, and before the node table goes. */
void services_destroy(struct context *ctx);
