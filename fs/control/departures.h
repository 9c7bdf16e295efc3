/*
 * The end of connections to the control socket: they are closed with what was sent on them and nobody has read.
 *
 * Descriptors may be in that, and their last close may take for ever (deferred-close.h). So a connection with such is
 * closed on a thread of its own; beyond so many threads it waits its turn *in flight* (flight.h), where it costs neither a
 * descriptor nor a thread, and nobody but its user waits. The kernel bounds how many those can be: each holds at
 * least one descriptor that its user has in flight himself (too_many_unix_fds()).
 *
 * On the loop's thread; nothing blocks.
 */
#pragma once

#include "flight.h"
#include "loop.h"

struct departures {
	struct loop *loop;
	struct flight waiting;
	struct loop_io again;
};

/* Closings under way, of all kinds and users, with which only root's connections get more threads. */
#define DEPARTURES_THREADS 512

void departures_init(struct departures *d, struct loop *loop);

/* Takes the connection *@fd, of @uid's, on which nothing is armed; the answers on it can still be read. */
void departures_add(struct departures *d, int *fd, uid_t uid);

/* Once the loop does not run any more: what waits is left to the end of the process. */
void departures_finish(struct departures *d);
