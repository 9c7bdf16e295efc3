/* What has happened to a channel, for those who watch it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "port-report.h"

enum event_kind {
	EVENT_WRITERS,
	EVENT_NO_WRITERS, /* a stream begins, and ends */
	EVENT_READERS,
	EVENT_NO_READERS, /* of a tap */
	EVENT_OPENED,     /* a channel without taps; by whom is not known */
	EVENT_WRITER_LEFT,
	EVENT_READER_LEFT, /* it was closed by one */
	EVENT_FULL,
	EVENT_ROOM, /* a tap, or the sink @port, holds the writer back, and does no longer */
	EVENT_DROP, /* a tap lost @bytes, in @count events */
	EVENT_PORT, /* @port is in @state now; or has been detached */
};

struct event {
	enum event_kind kind;
	uint64_t time; /* clock_now() */
	uint64_t tap;  /* its node, for what is of a tap */
	uint64_t bytes, count;
	unsigned port;
	enum port_state state;
	bool detached;
	int err;         /* of the port */
	const char *uri; /* of the port; until the callback returns */
};

struct channel;

/* Tells of it, at once, with the time of now; where nobody watches the channel (monitor.h), nobody is told. */
void event_tell(struct channel *ch, struct event e);
