/* A port that tries again what has failed. The log has the first failure of a row of them, the report the last. */
#include "port-ops.h"

#include <inttypes.h>
#include <string.h>

#include "channel.h"
#include "clock.h"
#include "log.h"
#include "sink-options.h"

void port_retry(struct port *p, int err, const char *doing, struct loop_io *timer)
{
	uint64_t retry = sink_options_retry(p);

	if (p->state != PORT_RETRYING)
		log_user_warn(p->config.rights.uid, "%s: port %u, %s: %s; %s again every %" PRIu64 " s",
			      p->channel->label, p->id, p->config.uri.text, port_reason(p, err), doing, retry);
	p->state = PORT_RETRYING;
	p->err = err;
	loop_io_timer(timer, retry * NSEC_PER_SEC);
}
