/*
 * The monitor of a channel: while somebody watches, it compares the channel with what was told of it, and tells the
 * difference (engine_events.happened). It looks where the channel says so, and MONITOR_NSEC after its last look, so
 * that what comes too fast is summed up. Not watched, a channel has none. All on the channel's worker.
 */
#pragma once

#include "channel.h"

#define MONITOR_NSEC 100000000

/* One more who watches. Returns 0 or -ENOMEM. */
int monitor_start(struct channel *ch);

/* One less. */
void monitor_stop(struct channel *ch);

/* For channel_destroy(): no matter how many. */
void monitor_destroy(struct channel *ch);

/* Never call but through monitor_look(). */
void monitor_compare(struct channel *ch);

/* Something has changed. */
static inline void monitor_look(struct channel *ch)
{
	if (ch->monitor)
		monitor_compare(ch);
}
