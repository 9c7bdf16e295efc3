/*
 * A channel that is being declared lives until its sinks are attached or have failed; then its sources are started.
 * It keeps the configuration, whose texts it uses, and holds the channel.
 */
#include "declare-ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "base.h"
#include "log.h"

struct declaring {
	struct context *ctx;
	struct config *config;
	const struct declared *channel;
	struct hold origin; /* until its sources are started; none: there are none to start */
	unsigned left;      /* ports under way, and one until all are started */
};

struct declared_attach {
	struct attach attach;
	struct declaring *declaring;
};

static void declare_ports_step_done(struct declaring *d);

static void declare_ports_attached(struct attach *a)
{
	struct declared_attach *da = container_of(a, struct declared_attach, attach);
	struct declaring *d = da->declaring;

	free(da);
	declare_ports_step_done(d);
}

static void declare_ports_attach_one(struct declaring *d, struct node *node, const struct declared_port *port)
{
	struct declared_attach *da = calloc(1, sizeof(*da));

	if (!da || rights_copy(&da->attach.rights, &d->channel->owner) < 0) {
		free(da);
		log_warn("declared %s: %s", port->uri, strerror(ENOMEM));
		return;
	}
	da->declaring = d;
	da->attach.ctx = d->ctx;
	da->attach.node = node;
	da->attach.dir = port->dir;
	da->attach.text = port->uri;
	da->attach.own = true;
	da->attach.process = -1;
	da->attach.rights.caps = da->attach.rights.uid == 0 ? RIGHTS_ALL : 0;
	da->attach.fd = -1;
	da->attach.done = declare_ports_attached;
	d->left++;
	attach_start(&da->attach);
}

static void declare_ports_attach_each(struct declaring *d, struct node *node, const struct declared *of,
				      enum port_dir dir)
{
	for (size_t i = 0; i < of->port_count; i++)
		if (of->ports[i].dir == dir)
			declare_ports_attach_one(d, node, &of->ports[i]);
}

static void declare_ports_step_done(struct declaring *d)
{
	struct hold origin = d->origin;

	if (--d->left)
		return;
	if (origin.node) {
		d->origin = (struct hold){ 0 };
		d->left = 1;
		declare_ports_attach_each(d, origin.node, d->channel, PORT_SOURCE);
		hold_drop(&origin);
		declare_ports_step_done(d);
		return;
	}
	config_unref(d->config);
	free(d);
}

void declare_ports_attach(struct context *ctx, const struct declared *channel, struct node *const *made)
{
	struct config *c = ctx->config;
	struct node *origin = made[channel - c->declared];
	struct declaring *d = calloc(1, sizeof(*d));

	if (!d) {
		log_warn("declared %s: %s", channel->name, strerror(ENOMEM));
		return;
	}
	*d = (struct declaring){
		.ctx = ctx,
		.config = config_ref(c),
		.channel = channel,
		.left = 1,
	};
	if (origin && hold_take(&d->origin, ctx, origin) == 0)
		declare_ports_attach_each(d, origin, channel, PORT_SINK);
	for (size_t i = 0; i < c->declared_count; i++)
		if (made[i] && c->declared[i].tap && !strcmp(c->declared[i].channel, channel->name))
			declare_ports_attach_each(d, made[i], &c->declared[i], PORT_SINK);
	declare_ports_step_done(d);
}
