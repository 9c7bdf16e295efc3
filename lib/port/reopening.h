/*
 * A reopening: what a port's URI names is opened once more, with the rights of who attached it, for a connection that has failed
 * or a file that is to be followed by another. It outlives its port, should that go meanwhile. All on the channel's worker.
 */
#pragma once

#include "opener.h"
#include "port-ops.h"

struct reopening;

/*
 * Begins. @done comes once, never within this call, unless the port forgets it before: with o->err, or what is to be taken out
 * of o->opened, for the rest is closed. *@r is NULL by then, and stays the port's to forget until then. Returns 0 or a negative
 * errno as opening_start().
 */
int reopening_start(struct reopening **r, struct port *p, const struct succession *after,
		    void (*done)(struct port *p, struct opening *o));

/* The port waits for it no more: what comes of it is closed. No-op on NULL. */
void reopening_forget(struct reopening **r);
