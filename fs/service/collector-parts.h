/* What the files of a collector share: collector-share.c has the reports made. Nobody else sees this. */
#pragma once

#include "collector.h"

#include "channel-list.h"
#include "context.h"
#include "services.h"
#include "turns.h"

struct collector_share;

TAILQ_HEAD(collector_waiters, collector_waiter);

struct collector {
	struct context *ctx;
	struct job job;
	struct descriptor_scan_waiter scan;
	struct turns choosing;
	bool running;
	struct collector_waiters queue;
	struct collector_waiters served; /* for whom it is taken */
	int err;
	uint64_t number;

	struct channel_list list;
	struct collector_share *shares; /* while they are made */
	size_t pending;                 /* shares, and who makes them */
};

/* One of c->pending is through. */
void collector_reported(struct collector *c);

/* ---- collector-share.c ---- */

/* Adds the entry's channel to the share of its worker. Takes the entry's hold. Returns 0 or -ENOMEM. */
int collector_share_add(struct collector *c, struct channel_list_entry *e);

/* Has the reports of all shares made, or where c->err is set has them go: each is one of c->pending, and collector_reported(). */
void collector_share_begin_all(struct collector *c);
