#include "event.h"

#include "channel.h"
#include "clock.h"
#include "worker.h"

void event_tell(struct channel *ch, struct event e)
{
	const struct engine_events *events = &ch->worker->events;

	if (!events->happened || !ch->watched)
		return;
	e.time = clock_now();
	events->happened(events->data, ch, &e);
}
