/*
 * How a port comes to be: what is behind its descriptor, and the channel's end of it.
 *
 * Until everything that can fail has gone well, what was opened is the caller's and the list knows nothing of the port;
 * nothing here is waited for, and the file system behind the descriptor is not asked.
 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "deferred-close.h"
#include "kinds.h"
#include "pipe.h"
#include "port-ops.h"
#include "sink-options.h"

/* What is behind the descriptor decides; the URI only said how to open it. */
static int port_choose(const struct port_config *config, const struct port_ops **ops, char why[URI_WHY_MAX])
{
	const struct port_ops *const *may = config->uri.kind->ops;
	bool source = config->dir == PORT_SOURCE;
	int flags = fcntl(config->opened.fd, F_GETFL);

	if (flags < 0)
		return uri_refuse(why, -errno, "not a descriptor");
	if ((flags & O_PATH) || (flags & O_ACCMODE) == (source ? O_WRONLY : O_RDONLY))
		return uri_refuse(why, -EBADF, source ? "not open for reading" : "not open for writing");
	while (*may && (!((*may)->dirs & PORT_DIR_BIT(config->dir)) || !(*may)->fits(&config->opened)))
		may++;
	*ops = *may;
	if (*ops)
		return 0;
	return uri_refuse(why, -EINVAL,
			  S_ISSOCK(config->opened.type) ? "not a stream socket" : "nothing that has a stream of bytes");
}

/*
 * With the policy, the depth and the rate of @p. What waits in the pipe goes back into the queue, which alone knows a rate. Returns
 * 0, or a negative errno and the tap is still @old's.
 */
static int port_take_over(struct port *p, struct port *old, struct tap *tap)
{
	const struct settings *settings = &p->config.limits.settings;
	bool first = old->first && !old->bytes;
	int err = 0;

	if (first && p->config.limits.goes_on)
		err = tap_go_on(tap, old->pipe);
	else if (settings->value[SETTING_RATE])
		err = tap_recall(tap, old->pipe);
	if (err < 0)
		return err;
	p->pipe = fd_take(&old->pipe);
	p->tap = old->tap;
	p->first = first;
	old->tap = 0;
	old->tap_lost = 0;
	tap_set(tap, SETTING_POLICY, settings->value[SETTING_POLICY]);
	tap_set(tap, SETTING_DEPTH, settings->value[SETTING_DEPTH]);
	tap_set(tap, SETTING_RATE, settings->value[SETTING_RATE]);
	if (tap->queue.bytes) /* (else it may be through, and go) */
		tap_look(tap);
	channel_pump(p->channel);
	return 0;
}

/*
 * A failed sink of the origin hands its tap over to its user's next one, unless that has gone at its stream's end. What is
 * in it was promised to that user, and is charged to them: somebody else's sink begins anew, as it would beside a sink
 * that goes on. Returns 0 (p->tap: it has one) or a negative errno.
 */
static int port_adopt(struct port *p)
{
	struct port *old;

	TAILQ_FOREACH(old, &p->list->ports, entry) {
		struct tap *tap;

		if (!old->over || old->tap < TAP_PRIVATE || old->config.rights.uid != p->config.rights.uid)
			continue;
		tap = channel_find_tap(p->channel, old->tap);
		if (tap)
			return port_take_over(p, old, tap);
		fd_close(&old->pipe);
		old->tap = 0;
	}
	return 0;
}

/* A sink's private tap. */
static int port_join_origin(struct port *p)
{
	int err = port_adopt(p);

	if (err < 0 || p->tap)
		return err;
	p->first = true;
	return channel_add_private_tap(p->channel, &p->tap, &p->pipe, &p->config.limits);
}

/* Opens the channel's end of the port. */
static int port_join(struct port *p)
{
	struct channel *ch = p->channel;
	struct fifo fifo = { .dir = ch->origin.dir, .id = p->config.node };
	uint64_t rate = uri_value(&p->config.uri, &uri_rate);
	struct tap *tap;

	if (p->ops->late)
		return 0;
	if (p->config.dir == PORT_SOURCE) {
		p->inlet.stream = true;
		return inlet_open(&p->inlet, ch);
	}
	if (p->config.node == ch->origin.id)
		return port_join_origin(p);
	tap = channel_find_tap(ch, p->config.node);
	if (!tap)
		return -ENOENT;
	p->tap = p->config.node;
	p->first = tap->owes;
	p->pipe = fifo_open(&fifo, O_RDONLY, 0);
	if (p->pipe < 0)
		return p->pipe;
	tap->goes_on = p->config.limits.goes_on; /* (that he is there is heard of later) */
	return rate ? channel_set(ch, p->tap, SETTING_RATE, rate) : 0;
}

int port_attach(struct channel *ch, struct port_config *config, unsigned *id, char why[URI_WHY_MAX])
{
	struct port_list *list = port_list_make(ch);
	const struct port_ops *ops = NULL;
	struct port *p;
	int err = port_choose(config, &ops, why);

	if (err < 0)
		return err;
	err = fifo_fd_check(config->opened.fd);
	if (err < 0)
		return uri_refuse(why, err, strerror(-err));
	if (config->dir == PORT_SOURCE && ch->settings.value[SETTING_PACKETS])
		return uri_refuse(why, -EINVAL, "a source knows no messages, this is a packet channel");
	if (config->dir == PORT_SINK)
		err = sink_options_limit(config, ops->late || config->node == ch->origin.id, why);
	if (err < 0)
		return err;
	p = list ? calloc(1, ops->size) : NULL;
	if (!p)
		return uri_refuse(why, -ENOMEM, strerror(ENOMEM));
	p->ops = ops;
	p->channel = ch;
	p->list = list;
	p->config = *config;
	p->inlet = (struct inlet){ .fd = -1, .wide = true };
	p->pipe = -1;
	p->closing = port_closing(p);
	if (!p->closing) {
		free(p);
		return uri_refuse(why, -ENOMEM, strerror(ENOMEM));
	}
	p->descriptors = (struct charge){ .account = config->limits.account, .of = ACCOUNT_DESCRIPTORS };
	err = ops->init(p);
	if (err == 0)
		err = charge_set(&p->descriptors, PORT_DESCRIPTORS + (ops->reopen ? PORT_DESCRIPTORS_REOPENED : 0) +
							  config->uri.kind->descriptors);
	if (err == 0)
		err = port_join(p);
	if (err < 0) {
		ops->finish(p);
		inlet_close(&p->inlet);
		fd_close(&p->pipe);
		deferred_close_forget(p->closing);
		charge_finish(&p->descriptors);
		free(p);
		return uri_refuse(why, err, strerror(-err));
	}
	port_forget_old(list);
	p->id = *id = ++list->last;
	TAILQ_INSERT_TAIL(&list->ports, p, entry);
	*config = (struct port_config){ .opened = OPENED_NONE };
	p->state = PORT_WAITING;
	if (p->config.dir == PORT_SOURCE) {
		port_next_source(list);
	} else {
		p->state = PORT_RUNNING;
		ops->start(p);
	}
	return 0;
}
