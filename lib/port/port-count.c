/* What a port has moved, and what is told of it. */
#include "port-ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "log.h"
#include "pipe.h"
#include "socket.h"
#include "stream.h"

struct tap *port_own_tap(const struct port *p)
{
	return p->tap >= TAP_PRIVATE ? channel_find_tap(p->channel, p->tap) : NULL;
}

void port_hold_tap(const struct port *p, bool held)
{
	struct tap *tap = port_own_tap(p);

	if (tap)
		tap->held = held;
}

uint64_t port_tap_lost(struct port *p)
{
	const struct tap *tap = port_own_tap(p);

	if (tap)
		p->tap_lost = tap->lost;
	return p->tap_lost;
}

const struct tap *port_holder(const struct port *p)
{
	const struct tap *tap = p->ops->holder ? p->ops->holder(p) :
				p->tap         ? channel_find_tap(p->channel, p->tap) :
						 NULL;

	return tap && tap_holds(tap) ? tap : NULL;
}

int port_report(struct port *p, struct port_report *r)
{
	const struct tap *holder = port_holder(p);

	*r = (struct port_report){
		.id = p->id,
		.dir = p->config.dir,
		.state = p->state,
		.node = p->config.node,
		.holder = holder ? holder->id : 0,
		.since = holder ? holder->blocks_nsec : 0,
		.bytes = p->bytes,
		.total = p->total,
		.pages_ref = p->pages_ref,
		.copies = p->copies,
		.lost = p->lost + port_tap_lost(p),
		.err = p->err,
	};
	port_report_how(r, p->copying ? "copy" : p->ops->how);
	r->uri = strdup(p->config.uri.text);
	if (p->err < 0)
		r->error = strdup(port_reason(p, p->err));
	if (!r->uri || (p->err < 0 && !r->error))
		return -ENOMEM;
	return p->ops->report ? p->ops->report(p, r) : 0;
}

void port_report_stream(struct port_report *r, const struct stream *s)
{
	r->bytes += s->bytes;
	r->pages_ref += s->pages;
	r->copies += s->copies;
	r->lost += s->lost;
	if (s->copying)
		port_report_how(r, "copy");
}

void port_moved(struct port *p, size_t bytes)
{
	p->bytes += bytes;
	p->pages_ref += pipe_pages(bytes);
}

void port_copied(struct port *p, size_t bytes)
{
	p->bytes += bytes;
	p->copies++;
}

void port_count(struct port *p, struct stream *s)
{
	p->bytes += s->bytes;
	p->pages_ref += s->pages;
	p->copies += s->copies;
	p->lost += s->lost;
	p->copying = s->copying;
	s->bytes = s->pages = s->copies = s->lost = 0;
}

void port_lose_unacknowledged(struct port *p, int socket)
{
	uint64_t bytes = socket_unacknowledged(socket);

	p->lost += bytes;
	if (bytes)
		log_user_warn(p->config.rights.uid, "%s: port %u lost %ju bytes, which its peer had not acknowledged",
			      p->channel->label, p->id, (uintmax_t)bytes);
}
