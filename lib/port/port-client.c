/*
 * A client of a listening port: one connection. It fills the origin, or it has a private tap; then it may be too slow,
 * and be thrown out or lose chunks for that.
 */
#include "port-listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "channel.h"
#include "clock.h"
#include "deferred-close.h"
#include "linger.h"
#include "log.h"
#include "pipe.h"
#include "socket.h"
#include "worker.h"

/* Its connection, its end of the channel, and a pipe between them. */
#define CLIENT_DESCRIPTORS 4

/* A client that takes less than this in its time of grace, while it is full, is too slow. */
#define GRACE_BYTES PIPE_SIZE

/* What a client has missed: what was dropped for it, what it left in its tap, and what has not come to it. */
static uint64_t client_missed(struct client *c)
{
	const struct tap *tap = channel_find_tap(listen_port_channel(c->port), c->tap);

	if (tap)
		c->lost = tap->lost;
	return c->lost + c->unacknowledged + (tap ? tap_waiting(tap) : 0);
}

bool client_rest(struct client *c)
{
	const struct port *p = &c->port->port;

	if (!stream_rest(&c->stream))
		return false;
	deferred_close_after(&c->fd, p->config.rights.uid, p->channel->worker->loop);
	return true;
}

void client_destroy(struct client *c)
{
	struct listen_port *lp = c->port;

	lp->port.lost += client_missed(c);
	TAILQ_REMOVE(&lp->clients, c, entry);
	lp->connected--;
	stream_finish(&c->stream);
	port_count(&lp->port, &c->stream);
	loop_io_cancel(&c->timer);
	fd_close(&c->pipe);
	deferred_close_after(&c->fd, lp->port.config.rights.uid, lp->port.channel->worker->loop);
	if (c->tap)
		channel_remove_tap(listen_port_channel(lp), c->tap);
	inlet_close(&lp->port.inlet);
	charge_finish(&c->descriptors);
	free(c);
	if (!lp->connected && lp->port.state == PORT_RUNNING)
		lp->port.state = PORT_LISTENING;
}

static void client_leave(struct client *c, const char *why)
{
	struct listen_port *lp = c->port;

	log_user_info(lp->port.config.rights.uid, "%s: port %u: a client is gone (%s), it missed %ju bytes",
		      lp->port.channel->label, lp->port.id, why, (uintmax_t)client_missed(c));
	lp->disconnected++;
	client_destroy(c);
}

static void client_ended(struct stream *s, int err)
{
	struct client *c = container_of(s, struct client, stream);
	struct listen_port *lp = c->port;
	struct worker *w = lp->port.channel->worker;

	if (err < 0) {
		c->unacknowledged = s->out ? socket_unacknowledged(c->fd) : 0;
		client_leave(c, strerror(-err));
	} else {
		if (s->out)
			linger_add(&w->lingers, w->loop, fd_take(&c->fd), lp->port.config.rights.uid, NULL);
		client_destroy(c);
	}
	listen_port_go_on(lp);
}

static void client_drained(struct stream *s)
{
	struct client *c = container_of(s, struct client, stream);
	struct tap *tap = channel_find_tap(listen_port_channel(c->port), c->tap);

	if (!tap)
		return;
	c->lost = tap->lost;
	tap_look(tap);
}

static void client_watch_grace(struct client *c)
{
	if (loop_io_armed(&c->timer))
		return;
	c->seen = c->stream.bytes;
	loop_io_timer(&c->timer, uri_value(&c->port->port.config.uri, &listen_grace) * NSEC_PER_SEC);
}

static void client_stalled(struct stream *s)
{
	struct client *c = container_of(s, struct client, stream);

	if (uri_value(&c->port->port.config.uri, &listen_slow) == LISTEN_SLOW_DISCONNECT)
		client_watch_grace(c);
}

static void client_grace_over(struct loop_io *io, int res)
{
	struct client *c = container_of(io, struct client, timer);
	struct listen_port *lp = c->port;
	const struct tap *tap = channel_find_tap(listen_port_channel(lp), c->tap);

	if (tap && tap_full(tap) && c->stream.bytes - c->seen < GRACE_BYTES) {
		client_leave(c, "too slow");
		listen_port_go_on(lp);
	} else if (c->stream.full) {
		client_watch_grace(c);
	}
}

static struct client *client_create(struct listen_port *lp, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	struct loop *loop = lp->port.channel->worker->loop;

	if (!c)
		return NULL;
	c->port = lp;
	c->fd = fd;
	c->pipe = -1;
	c->descriptors = (struct charge){ .account = lp->port.config.limits.account, .of = ACCOUNT_DESCRIPTORS };
	stream_init(&c->stream, loop, client_ended);
	c->stream.stable = port_stable(&lp->port);
	loop_io_init(&c->timer, loop, client_grace_over);
	TAILQ_INSERT_TAIL(&lp->clients, c, entry);
	lp->accepted++;
	lp->connected++;
	lp->port.state = PORT_RUNNING;
	return c;
}

int client_serve(struct listen_port *lp, int fd)
{
	struct client *c = client_create(lp, fd);
	struct port *p = &lp->port;
	struct limits limits = p->config.limits;
	int err;

	if (!c) {
		deferred_close(&fd, p->config.rights.uid);
		return -ENOMEM;
	}
	/* Inherited from who passed the listener: each last close would wait for its peer, on a thread of its own. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 0 }, sizeof(struct linger));
	err = fifo_fd_check(fd);
	if (err == 0)
		err = charge_set(&c->descriptors, CLIENT_DESCRIPTORS);
	if (p->config.dir == PORT_SOURCE) {
		if (err == 0 && socket_is_local(fd))
			err = stream_use_lane(&c->stream, p->config.rights.uid);
		if (err == 0)
			err = inlet_open(&p->inlet, p->channel);
	} else {
		uint64_t slow = uri_value(&p->config.uri, &listen_slow);

		if (slow == LISTEN_SLOW_DROP)
			limits.settings.value[SETTING_POLICY] = POLICY_DROP_NEW;
		else if (slow == LISTEN_SLOW_BLOCK && p->config.holds)
			limits.settings.value[SETTING_POLICY] = POLICY_BLOCK;
		c->stream.drained = client_drained;
		c->stream.stalled = client_stalled;
		if (err == 0)
			err = channel_add_private_tap(listen_port_channel(lp), &c->tap, &c->pipe, &limits);
	}
	if (err < 0) {
		client_destroy(c);
		return err;
	}
	stream_start(&c->stream, fd, p->config.dir == PORT_SINK ? c->pipe : p->inlet.fd, p->config.dir == PORT_SINK);
	return 0;
}
