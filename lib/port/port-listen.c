/*
 * A port on a listening socket.
 *
 * As a source it takes one connection after the other, and each is a stream: it has an inlet while it is connected,
 * and takes the next once the daemon, where it reads the origin, has seen the end of the last.
 * As a sink it gives every client a private tap, so each has its own copy from then on: of the channel, or of what
 * goes through the tap that it is attached to, by way of a relay.
 */
#include "port-listen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "channel.h"
#include "log.h"
#include "worker.h"

/* After EMFILE and the like. */
#define PAUSE_NSEC 1000000000u

static void listen_port_accept(struct listen_port *lp)
{
	loop_io_accept(&lp->acceptable, lp->port.config.opened.fd);
}

void listen_port_go_on(struct listen_port *lp)
{
	struct channel *ch = lp->port.channel;
	struct pollfd origin = { .fd = ch->in, .events = POLLIN };

	if (lp->port.leaving) {
		if (!lp->connected)
			port_stopped(&lp->port);
		return;
	}
	if (ch->dead || lp->shut) {
		if (!lp->connected)
			port_end(&lp->port, lp->shut);
		return;
	}
	lp->ending = lp->port.config.dir == PORT_SOURCE && ch->in >= 0 && poll(&origin, 1, 0) > 0 &&
		     (origin.revents & POLLHUP);
	if (!lp->ending)
		listen_port_accept(lp);
}

/* Who has passed the socket has a copy, and may have shut it down: it never accepts again. */
static bool listen_port_is_shut(int err)
{
	return err == -EINVAL || err == -EBADF || err == -ENOTSOCK || err == -EOPNOTSUPP;
}

/* A source takes the next connection once this one is over. */
static void listen_port_accepted(struct loop_io *io, int fd)
{
	struct listen_port *lp = container_of(io, struct listen_port, acceptable);
	struct port *p = &lp->port;
	int err = fd < 0 ? fd : client_serve(lp, fd);

	if (fd < 0 && listen_port_is_shut(fd)) {
		uri_why(p->why, "the socket does not listen any more");
		lp->shut = fd;
		listen_port_go_on(lp);
		return;
	}
	if (err < 0 && err != -EAGAIN && err != -ECONNABORTED && err != -EINTR) {
		log_user_warn(p->config.rights.uid, "%s: port %u: a client cannot be served: %s", p->channel->label,
			      p->id, strerror(-err));
		loop_io_timer(&lp->pause, PAUSE_NSEC);
	} else if (p->config.dir == PORT_SINK || !lp->connected) {
		listen_port_accept(lp);
	}
}

static void listen_port_pause_over(struct loop_io *io, int res)
{
	listen_port_go_on(container_of(io, struct listen_port, pause));
}

static int listen_port_init(struct port *p)
{
	struct listen_port *lp = listen_port_of(p);
	struct channel *ch = p->channel;
	struct loop *loop = ch->worker->loop;

	TAILQ_INIT(&lp->clients);
	loop_io_init(&lp->acceptable, loop, listen_port_accepted);
	loop_io_init(&lp->pause, loop, listen_port_pause_over);
	if (p->config.dir == PORT_SOURCE || p->config.node == ch->origin.id)
		return 0;
	if (!channel_find_tap(ch, p->config.node))
		return -ENOENT;
	return channel_create_relay(&lp->relay, ch, p->config.node);
}

static void listen_port_start(struct port *p)
{
	p->state = PORT_LISTENING;
	listen_port_go_on(listen_port_of(p));
}

static void listen_port_finish(struct port *p)
{
	struct listen_port *lp = listen_port_of(p);

	loop_io_cancel(&lp->acceptable);
	loop_io_cancel(&lp->pause);
	while (!TAILQ_EMPTY(&lp->clients))
		client_destroy(TAILQ_FIRST(&lp->clients));
	if (lp->relay)
		p->lost += lp->relay->lost;
	channel_destroy(lp->relay);
	lp->relay = NULL;
}

/* What a source's client has been relieved of goes out first. */
static bool listen_port_stop(struct port *p)
{
	struct listen_port *lp = listen_port_of(p);
	struct client *c = TAILQ_FIRST(&lp->clients);

	if (p->config.dir == PORT_SOURCE && c && client_rest(c)) {
		loop_io_cancel(&lp->acceptable);
		loop_io_cancel(&lp->pause);
		port_close(p);
		return false;
	}
	listen_port_finish(p);
	return true;
}

static void listen_port_name_gone(struct port *p)
{
	port_end(p, 0);
}

static void listen_port_stream_over(struct port *p)
{
	struct listen_port *lp = listen_port_of(p);

	if (!p->channel->dead && !lp->ending)
		return;
	loop_io_cancel(&lp->acceptable);
	loop_io_cancel(&lp->pause);
	loop_io_timer(&lp->pause, 0); /* a client may be on its way out just now */
}

static int listen_port_report(struct port *p, struct port_report *r)
{
	const struct listen_port *lp = container_of(p, struct listen_port, port);
	const struct client *c;

	r->clients = lp->accepted;
	r->connected = lp->connected;
	r->disconnected = lp->disconnected;
	TAILQ_FOREACH(c, &lp->clients, entry) {
		const struct tap *tap = c->tap ? channel_find_tap(listen_port_channel(lp), c->tap) : NULL;

		port_report_stream(r, &c->stream);
		r->lost += tap ? tap->lost : c->lost;
	}
	return 0;
}

/* Clients of a relay are held up in it, and that by the tap that it reads. */
static const struct tap *listen_port_holder(const struct port *p)
{
	const struct listen_port *lp = container_of(p, const struct listen_port, port);
	const struct tap *tap = NULL;
	const struct client *c;

	if (lp->relay)
		return channel_find_tap(p->channel, p->config.node);
	TAILQ_FOREACH(c, &lp->clients, entry) {
		tap = c->tap ? channel_find_tap(p->channel, c->tap) : NULL;
		if (tap && tap_holds(tap))
			break;
	}
	return tap;
}

static bool listen_port_fits(const struct opened *o)
{
	return !o->ops && S_ISSOCK(o->type) && port_look_stream(o->fd, true);
}

static int listen_port_parse_slow(const struct uri_option *option, const char *text, uint64_t *value)
{
	static const char *const words[] = {
		[LISTEN_SLOW_DISCONNECT] = "disconnect",
		[LISTEN_SLOW_DROP] = "drop",
		[LISTEN_SLOW_BLOCK] = "block",
	};

	for (*value = 0; *value < sizeof(words) / sizeof(words[0]); ++*value)
		if (!strcmp(text, words[*value]))
			return 0;
	return -EINVAL;
}

const struct uri_option listen_slow = {
	.name = "slow",
	.dirs = PORT_SINKS,
	.parse = listen_port_parse_slow,
	.what = "block, drop or disconnect",
};

const struct uri_option listen_grace = {
	.name = "grace",
	.dirs = PORT_SINKS,
	.parse = uri_option_number,
	.what = "seconds",
	.max = URI_SECONDS_MAX,
	.preset = 5,
};

const struct port_ops port_listen_source = {
	.how = "splice",
	.dirs = PORT_SOURCES,
	.fits = listen_port_fits,
	.late = true,
	.size = sizeof(struct listen_port),
	.init = listen_port_init,
	.start = listen_port_start,
	.stop = listen_port_stop,
	.finish = listen_port_finish,
	.report = listen_port_report,
	.stream_over = listen_port_stream_over,
};

const struct port_ops port_listen_sink = {
	.how = "splice",
	.dirs = PORT_SINKS,
	.fits = listen_port_fits,
	.late = true,
	.size = sizeof(struct listen_port),
	.init = listen_port_init,
	.start = listen_port_start,
	.stop = listen_port_stop,
	.finish = listen_port_finish,
	.report = listen_port_report,
	.holder = listen_port_holder,
	.stream_over = listen_port_stream_over,
	.name_gone = listen_port_name_gone,
};
