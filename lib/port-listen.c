/*
 * A port on a listening socket.
 *
 * As a source it takes one connection after the other, and each is a stream: it has an inlet while it is connected,
 * and takes the next once the daemon, where it reads the origin, has seen the end of the last.
 * As a sink it gives every client a private tap, so each has its own copy from then on: of the channel, or of what
 * goes through the tap that it is attached to, by way of a hub.
 */
#include "port-ops.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base.h"
#include "channel.h"
#include "engine.h"
#include "linger.h"
#include "log.h"
#include "pipe.h"
#include "stream.h"

/* After EMFILE and the like. */
#define PAUSE_NSEC 1000000000u

/* Connections before others of the loop have a turn. */
#define TURN_ACCEPTS 16

/* A client that takes less than this in its time of grace, while it is full, is too slow. */
#define GRACE_BYTES PIPE_SIZE

struct listen_port;

struct client {
	TAILQ_ENTRY(client) entry;
	struct listen_port *port;
	struct stream stream;
	struct loop_io timer;
	uint64_t seen; /* bytes sent when the timer was set */
	uint64_t lost; /* bytes dropped for it, as last seen: its tap goes before it does */
	int fd;
	int pipe;
	uint64_t tap;
};

struct listen_port {
	struct port port;
	struct loop_io acceptable;
	struct loop_io pause;
	struct channel *hub; /* a sink's on a tap */
	bool ending;         /* a source's: the stream of the last connection is not over */
	TAILQ_HEAD(, client) clients;
	uint64_t accepted, connected, disconnected, lost;
};

static struct listen_port *listen_of(struct port *p)
{
	return container_of(p, struct listen_port, port);
}

static struct channel *channel_of(const struct listen_port *lp)
{
	return lp->hub ? lp->hub : lp->port.channel;
}

static void accept_more(struct listen_port *lp)
{
	loop_io_poll(&lp->acceptable, lp->port.config.fd, POLLIN);
}

static void count(struct listen_port *lp, struct stream *s)
{
	lp->port.bytes += s->bytes;
	lp->port.pages_ref += s->pages;
	lp->port.copies += s->copies;
	s->bytes = s->pages = s->copies = 0;
}

/* What a client has missed: what was dropped for it, and what it left in its tap. */
static uint64_t missed(struct client *c)
{
	const struct tap *tap = channel_find_tap(channel_of(c->port), c->tap);

	if (tap)
		c->lost = tap->lost;
	return c->lost + (tap ? tap_waiting(tap) : 0);
}

static void client_destroy(struct client *c)
{
	struct listen_port *lp = c->port;

	count(lp, &c->stream);
	TAILQ_REMOVE(&lp->clients, c, entry);
	lp->connected--;
	stream_stop(&c->stream);
	loop_io_cancel(&c->timer);
	fd_close(&c->pipe);
	fd_close(&c->fd);
	if (c->tap)
		channel_remove_tap(channel_of(lp), c->tap);
	inlet_close(&lp->port.inlet);
	free(c);
	if (!lp->connected && lp->port.state == PORT_RUNNING)
		lp->port.state = PORT_LISTENING;
}

static void client_leave(struct client *c, const char *why)
{
	struct listen_port *lp = c->port;
	uint64_t bytes = missed(c);

	log_info("%s: port %u: a client is gone (%s), it missed %ju bytes", lp->port.channel->label, lp->port.id, why,
		 (uintmax_t)bytes);
	lp->disconnected++;
	lp->lost += bytes;
	client_destroy(c);
}

/*
 * What follows from a client's end, or from there being none yet. A channel that is dead can give and take nothing
 * more: the last client's end is the port's.
 */
static void go_on(struct listen_port *lp)
{
	struct channel *ch = lp->port.channel;
	struct pollfd origin = { .fd = ch->in, .events = POLLIN };

	if (ch->dead) {
		if (!lp->connected)
			port_end(&lp->port, 0);
		return;
	}
	lp->ending = lp->port.config.dir == PORT_SOURCE && ch->in >= 0 && poll(&origin, 1, 0) > 0 &&
		     (origin.revents & POLLHUP);
	if (!lp->ending)
		accept_more(lp);
}

static void client_ended(struct stream *s, int err)
{
	struct client *c = container_of(s, struct client, stream);
	struct listen_port *lp = c->port;
	struct worker *w = lp->port.channel->worker;

	if (err < 0) {
		client_leave(c, strerror(-err));
	} else {
		if (s->out) {
			lp->lost += missed(c);
			linger_add(&w->lingers, w->loop, fd_take(&c->fd));
		}
		client_destroy(c);
	}
	go_on(lp);
}

static void client_drained(struct stream *s)
{
	struct client *c = container_of(s, struct client, stream);
	struct tap *tap = channel_find_tap(channel_of(c->port), c->tap);

	if (!tap)
		return;
	c->lost = tap->lost;
	tap_look(tap);
}

/* ---- clients of a sink ---- */

static void watch_grace(struct client *c)
{
	if (loop_io_armed(&c->timer))
		return;
	c->seen = c->stream.bytes;
	loop_io_timer(&c->timer, c->port->port.config.uri.grace * 1000000000ull);
}

static void client_stalled(struct stream *s)
{
	struct client *c = container_of(s, struct client, stream);

	if (c->port->port.config.uri.slow == URI_SLOW_DISCONNECT)
		watch_grace(c);
}

static void grace_over(struct loop_io *io, int res)
{
	struct client *c = container_of(io, struct client, timer);
	struct listen_port *lp = c->port;
	const struct tap *tap = channel_find_tap(channel_of(lp), c->tap);

	if (tap && tap_full(tap) && c->stream.bytes - c->seen < GRACE_BYTES) {
		client_leave(c, "too slow");
		go_on(lp);
	} else if (c->stream.full) {
		watch_grace(c);
	}
}

static struct client *client_new(struct listen_port *lp, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	struct loop *loop = lp->port.channel->worker->loop;

	if (!c)
		return NULL;
	c->port = lp;
	c->fd = fd;
	c->pipe = -1;
	stream_init(&c->stream, loop, client_ended);
	loop_io_init(&c->timer, loop, grace_over);
	TAILQ_INSERT_TAIL(&lp->clients, c, entry);
	lp->accepted++;
	lp->connected++;
	lp->port.state = PORT_RUNNING;
	return c;
}

/* Takes @fd. Returns 0 or a negative errno. */
static int serve(struct listen_port *lp, int fd)
{
	struct client *c = client_new(lp, fd);
	struct port *p = &lp->port;
	struct tap *tap;
	int err;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	/* Inherited from who passed the listener: the last close would wait for the peer. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 0 }, sizeof(struct linger));
	err = fifo_fd_check(fd);
	if (p->config.dir == PORT_SOURCE) {
		if (err == 0)
			err = inlet_open(&p->inlet, p->channel);
		if (err == 0)
			pipe_grow(p->inlet.fd, PIPE_SIZE);
	} else {
		c->stream.drained = client_drained;
		c->stream.stalled = client_stalled;
		if (err == 0)
			err = channel_add_private_tap(channel_of(lp), &c->tap, &c->pipe);
	}
	if (err < 0) {
		client_destroy(c);
		return err;
	}
	tap = channel_find_tap(channel_of(lp), c->tap);
	if (tap) /* (it may be through already) */
		tap->drop = p->config.uri.slow == URI_SLOW_DROP;
	stream_start(&c->stream, fd, p->config.dir == PORT_SINK ? c->pipe : p->inlet.fd, p->config.dir == PORT_SINK);
	return 0;
}

/* A source takes the next connection once this one is over. */
static void acceptable(struct loop_io *io, int res)
{
	struct listen_port *lp = container_of(io, struct listen_port, acceptable);
	struct port *p = &lp->port;
	int err = 0;

	for (int i = 0; i < TURN_ACCEPTS && (p->config.dir == PORT_SINK || !lp->connected); i++) {
		int fd = accept4(p->config.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		err = fd < 0 ? -errno : serve(lp, fd);
		if (err == -ECONNABORTED || err == -EINTR)
			continue;
		if (err < 0)
			break;
	}
	if (err < 0 && err != -EAGAIN) {
		log_warn("%s: port %u: a client cannot be served: %s", p->channel->label, p->id, strerror(-err));
		loop_io_timer(&lp->pause, PAUSE_NSEC);
	} else if (p->config.dir == PORT_SINK || !lp->connected) {
		accept_more(lp);
	}
}

static void pause_over(struct loop_io *io, int res)
{
	go_on(container_of(io, struct listen_port, pause));
}

static int init(struct port *p)
{
	struct listen_port *lp = listen_of(p);
	struct channel *ch = p->channel;
	struct loop *loop = ch->worker->loop;

	TAILQ_INIT(&lp->clients);
	loop_io_init(&lp->acceptable, loop, acceptable);
	loop_io_init(&lp->pause, loop, pause_over);
	if (fcntl(p->config.fd, F_SETFL, fcntl(p->config.fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	if (p->config.dir == PORT_SOURCE || p->config.node == ch->origin.id)
		return 0;
	if (!channel_find_tap(ch, p->config.node))
		return -ENOENT;
	return channel_create_hub(&lp->hub, ch, p->config.node);
}

static void start(struct port *p)
{
	p->state = PORT_LISTENING;
	go_on(listen_of(p));
}

static void finish(struct port *p)
{
	struct listen_port *lp = listen_of(p);

	loop_io_cancel(&lp->acceptable);
	loop_io_cancel(&lp->pause);
	while (!TAILQ_EMPTY(&lp->clients))
		client_destroy(TAILQ_FIRST(&lp->clients));
	channel_destroy(lp->hub);
	lp->hub = NULL;
}

static bool stop(struct port *p)
{
	finish(p);
	return true;
}

static void name_gone(struct port *p)
{
	port_end(p, 0);
}

static void stream_over(struct port *p)
{
	struct listen_port *lp = listen_of(p);

	if (!p->channel->dead && !lp->ending)
		return;
	loop_io_cancel(&lp->acceptable);
	loop_io_cancel(&lp->pause);
	loop_io_timer(&lp->pause, 0); /* a client may be on its way out just now */
}

static int report(struct port *p, struct port_report *r)
{
	const struct listen_port *lp = container_of(p, struct listen_port, port);
	const struct client *c;

	r->clients = lp->accepted;
	r->connected = lp->connected;
	r->disconnected = lp->disconnected;
	r->lost = lp->lost;
	TAILQ_FOREACH(c, &lp->clients, entry) {
		const struct tap *tap = c->tap ? channel_find_tap(channel_of(lp), c->tap) : NULL;

		r->bytes += c->stream.bytes;
		r->pages_ref += c->stream.pages;
		r->copies += c->stream.copies;
		r->lost += tap ? tap->lost : c->lost;
	}
	return 0;
}

const struct port_ops port_listen_source = {
	.how = "splice",
	.late = true,
	.size = sizeof(struct listen_port),
	.init = init,
	.start = start,
	.stop = stop,
	.finish = finish,
	.report = report,
	.stream_over = stream_over,
};

const struct port_ops port_listen_sink = {
	.how = "splice",
	.late = true,
	.size = sizeof(struct listen_port),
	.init = init,
	.start = start,
	.stop = stop,
	.finish = finish,
	.report = report,
	.stream_over = stream_over,
	.name_gone = name_gone,
};
