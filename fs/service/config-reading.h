/*
 * Reading the configuration again: an errand (errand.h), for the disk and whoever knows users by name (nsswitch.conf(5))
 * may take for ever, and nothing else is to wait for them.
 */
#pragma once

#include "lines.h"
#include "loop.h"

struct config;
struct config_attempt;

/* Zero but for what config_reading_start() sets. */
struct config_reading {
	/* On the loop's thread, exactly once after a successful start. */
	void (*done)(struct config_reading *r);

	/* The result, the taker's: */
	int err; /* 0, -EINVAL with @mistakes, -ENOTCONN: given up, or another negative errno of config_read() */
	struct config *config;
	struct lines mistakes;

	/* Private: */
	struct config_attempt *attempt;
};

/* Begins, on @loop's thread; @file is copied. Returns 0, or a negative errno without done(). */
int config_reading_start(struct config_reading *r, struct loop *loop, const char *file,
			 void (*done)(struct config_reading *r));

/* It is not wanted any more: done() is called, unless it was before. The thread cleans up after itself, some day. */
void config_reading_cancel(struct config_reading *r);
