#include "port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port-ops.h"
#include "stream.h"

const char *port_state_name(enum port_state state)
{
	static const char *const names[] = {
		[PORT_WAITING] = "waiting", [PORT_RUNNING] = "running", [PORT_LISTENING] = "listening",
		[PORT_RETRYING] = "retrying", [PORT_DONE] = "done", [PORT_FAILED] = "failed",
	};

	return names[state];
}

int port_report(struct port *p, struct port_report *r)
{
	*r = (struct port_report){
		.id = p->id, .dir = p->config.dir, .state = p->state,
		.node = p->config.node, .how = p->copying ? "copy" : p->ops->how,
		.bytes = p->bytes, .total = p->total, .pages_ref = p->pages_ref, .copies = p->copies,
		.err = p->err,
	};
	r->uri = strdup(p->config.uri.text);
	if (p->err < 0)
		r->error = strdup(strerror(-p->err));
	if (!r->uri || (p->err < 0 && !r->error))
		return -ENOMEM;
	return p->ops->report ? p->ops->report(p, r) : 0;
}

void port_report_finish(struct port_report *r)
{
	free(r->uri);
	free(r->format);
	free(r->error);
}

void port_report_stream(struct port_report *r, const struct stream *s)
{
	r->bytes += s->bytes;
	r->pages_ref += s->pages;
	r->copies += s->copies;
	if (s->copying)
		r->how = "copy";
}
