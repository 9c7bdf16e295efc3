#include "services.h"

#include <errno.h>
#include <stdlib.h>

#include "attach.h"
#include "collector.h"
#include "descriptor-scan.h"
#include "engine.h"
#include "events.h"
#include "port-wait.h"
#include "ports.h"
#include "reload.h"
#include "ring.h"
#include "standing.h"
#include "visit.h"

int services_create(struct context *ctx)
{
	struct services *services = ctx->services = calloc(1, sizeof(*services));
	int err = services ? descriptor_scan_create(&services->scan, ctx) : -ENOMEM;

	if (services)
		TAILQ_INIT(&services->reloads);
	if (err == 0)
		err = collector_create(&services->collector, ctx);
	if (err == 0)
		err = rings_create(&services->rings, ctx);
	if (err == 0)
		err = visits_create(&services->visits, ctx);
	return err;
}

void services_hear(struct context *ctx, struct engine_events *events)
{
	ctx->stands = standing_changed;
	*events = (struct engine_events){
		.origin_opened = descriptor_scan_origin_opened,
		.port_ended = port_wait_tell,
		.happened = events_tell,
		.ring_opened = rings_opened,
		.data = ctx,
	};
}

void services_leave(struct context *ctx)
{
	attach_leave(ctx);
	port_wait_leave(ctx);
	ports_leave(ctx);
	reload_leave(ctx);
	rings_leave(ctx->services->rings);
	visits_leave(ctx->services->visits);
	descriptor_scan_leave(ctx->services->scan);
}

void services_destroy(struct context *ctx)
{
	struct services *services = ctx->services;

	if (!services)
		return;
	collector_destroy(services->collector);
	descriptor_scan_destroy(services->scan);
	rings_destroy(services->rings);
	visits_destroy(services->visits);
	free(services);
	ctx->services = NULL;
}
