#include "reopening.h"

#include <errno.h>
#include <stdlib.h>

#include "base.h"
#include "channel.h"
#include "worker.h"

struct reopening {
	struct opening opening;
	struct reopening **slot;
	struct port *port; /* NULL: nobody waits */
	uid_t uid;
	void (*done)(struct port *p, struct opening *o);
};

static void reopening_opened(struct opening *o)
{
	struct reopening *r = container_of(o, struct reopening, opening);

	if (r->port) {
		*r->slot = NULL;
		r->done(r->port, o);
	}
	opened_close(&o->opened, r->uid);
	free(r);
}

int reopening_start(struct reopening **slot, struct port *p, const struct succession *after,
		    void (*done)(struct port *p, struct opening *o))
{
	const struct port_config *config = &p->config;
	struct reopening *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->slot = slot;
	r->port = p;
	r->uid = config->rights.uid;
	r->done = done;
	r->opening = (struct opening){
		.uri = &config->uri,
		.fd = -1,
		.dir = config->dir,
		.rights = &config->rights,
		.process = -1,
		.mount = config->mount,
		.loop = p->channel->worker->loop,
		.done = reopening_opened,
	};
	if (after)
		r->opening.after = *after;
	err = opening_start(&r->opening);
	if (err < 0) {
		free(r);
		return err;
	}
	*slot = r;
	return 0;
}

void reopening_forget(struct reopening **slot)
{
	struct reopening *r = *slot;

	if (!r)
		return;
	*slot = NULL;
	r->port = NULL;
	opening_cancel(&r->opening);
}
