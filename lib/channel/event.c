#include "event.h"

#include "channel.h"
#include "worker.h"

void event_tell(struct channel *ch, struct event e)
{
	const struct engine_events *events = &ch->worker->events;

	if (!events->happened || !ch->watched)
		return;
	clock_gettime(CLOCK_REALTIME, &e.time);
	events->happened(events->data, ch, &e);
}
