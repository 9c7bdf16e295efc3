/*
 * A port on a socket, pipe or FIFO. With ?retry= it connects again after a failure, and goes on: what a sink has
 * not sent is in its pipe.
 */
#include "port-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base.h"
#include "channel.h"
#include "clock.h"
#include "engine.h"
#include "linger.h"
#include "log.h"
#include "opener.h"
#include "stream.h"

struct stream_port {
	struct port port;
	struct stream stream;
	bool socket;
	struct loop_io timer;
	struct opening *opening; /* under way */
};

/* Outlives its port, should that be detached meanwhile. */
struct reopening {
	struct opening opening;
	struct stream_port *port; /* NULL: nobody waits */
	uid_t uid;
};

/*
 * Who passed the socket may share its flags, and make it block again, as a shell does with its standard input:
 * then no call waits for longer than the kernel's shortest time. Nor does the last close wait for the peer.
 */
static void never_wait(int fd)
{
	const struct timeval shortest = { .tv_usec = 1 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &shortest, sizeof(shortest));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &shortest, sizeof(shortest));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 0 }, sizeof(struct linger));
}

/* A pipe is covered by SPLICE_F_NONBLOCK, and its flags may be shared with who passed it. */
static int ready(struct stream_port *sp)
{
	int fd = sp->port.config.opened.fd;
	struct statx st;
	int err = port_look(fd, &st);

	if (err < 0)
		return err;
	sp->socket = S_ISSOCK(st.stx_mode);
	if (!sp->socket)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
	never_wait(fd);
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
}

static void run(struct stream_port *sp)
{
	struct port *p = &sp->port;
	bool out = p->config.dir == PORT_SINK;

	p->state = PORT_RUNNING;
	p->err = 0;
	stream_start(&sp->stream, p->config.opened.fd, out ? p->pipe : p->inlet.fd, out);
}

static void again(struct stream_port *sp, int err)
{
	struct port *p = &sp->port;
	uint64_t retry = uri_value(&p->config.uri, &stream_retry);

	if (p->state != PORT_RETRYING)
		log_warn("%s: port %u, %s: %s; connecting again every %" PRIu64 " s", p->channel->label, p->id,
			 p->config.uri.text, strerror(-err), retry);
	p->state = PORT_RETRYING;
	p->err = err;
	loop_io_timer(&sp->timer, retry * NSEC_PER_SEC);
}

static void reopened(struct opening *o)
{
	struct reopening *r = container_of(o, struct reopening, opening);
	struct stream_port *sp = r->port;
	int err = o->err;

	if (sp) {
		sp->opening = NULL;
		sp->port.config.opened = opened_take(&o->opened);
	}
	opened_close(&o->opened, r->uid);
	free(r);
	if (!sp)
		return;
	if (err == 0)
		err = ready(sp);
	if (err < 0) {
		fd_close(&sp->port.config.opened.fd);
		again(sp, err);
		return;
	}
	log_info("%s: port %u: connected to %s again", sp->port.channel->label, sp->port.id, sp->port.config.uri.text);
	run(sp);
}

static int reopen(struct stream_port *sp)
{
	const struct port_config *config = &sp->port.config;
	struct reopening *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->port = sp;
	r->uid = config->rights.uid;
	r->opening = (struct opening){
		.uri = &config->uri, .dir = config->dir, .rights = &config->rights, .mount = config->mount,
		.loop = sp->port.channel->worker->loop, .done = reopened,
	};
	err = opening_start(&r->opening);
	if (err < 0) {
		free(r);
		return err;
	}
	sp->opening = &r->opening;
	return 0;
}

static void timer_ready(struct loop_io *io, int res)
{
	struct stream_port *sp = container_of(io, struct stream_port, timer);
	int err = reopen(sp);

	if (err < 0)
		again(sp, err);
}

static void ended(struct stream *s, int err)
{
	struct stream_port *sp = container_of(s, struct stream_port, stream);
	struct port *p = &sp->port;
	struct worker *w = p->channel->worker;

	port_count(p, s);
	if (p->leaving) {
		port_stopped(p);
		return;
	}
	if (err < 0 && uri_value(&p->config.uri, &stream_retry)) {
		fd_close(&p->config.opened.fd);
		again(sp, err);
		return;
	}
	if (err == 0 && p->config.dir == PORT_SINK && sp->socket)
		linger_add(&w->lingers, w->loop, fd_take(&p->config.opened.fd));
	port_end(p, err);
}

static void drained(struct stream *s)
{
	port_drained(&container_of(s, struct stream_port, stream)->port);
}

static int init(struct port *p)
{
	struct stream_port *sp = container_of(p, struct stream_port, port);
	struct loop *loop = p->channel->worker->loop;

	loop_io_init(&sp->timer, loop, timer_ready);
	stream_init(&sp->stream, loop, ended);
	sp->stream.drained = drained;
	sp->stream.stable = port_stable(p);
	return ready(sp);
}

static void start(struct port *p)
{
	run(container_of(p, struct stream_port, port));
}

static void finish(struct port *p)
{
	struct stream_port *sp = container_of(p, struct stream_port, port);

	stream_stop(&sp->stream);
	loop_io_cancel(&sp->timer);
	if (sp->opening) {
		container_of(sp->opening, struct reopening, opening)->port = NULL;
		opening_cancel(sp->opening);
		sp->opening = NULL;
	}
}

/* What was copied is in no pipe yet: it goes out first. */
static bool stop(struct port *p)
{
	if (stream_rest(&container_of(p, struct stream_port, port)->stream)) {
		port_close(p);
		return false;
	}
	finish(p);
	return true;
}

static int report(struct port *p, struct port_report *r)
{
	const struct stream_port *sp = container_of(p, struct stream_port, port);

	port_report_stream(r, &sp->stream);
	return 0;
}

static bool stream_fits(const struct opened *o, mode_t type)
{
	return !o->ops && (S_ISFIFO(type) || (S_ISSOCK(type) && port_look_stream(o->fd, false)));
}

const struct uri_option stream_retry = {
	.name = "retry", .dirs = PORT_SOURCES | PORT_SINKS, .parse = uri_option_number, .what = "seconds",
	.max = URI_SECONDS_MAX,
};

const struct port_ops port_stream = {
	.how = "splice",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.fits = stream_fits,
	.size = sizeof(struct stream_port),
	.init = init,
	.start = start,
	.stop = stop,
	.finish = finish,
	.report = report,
};
