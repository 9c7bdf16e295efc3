/*
 * A port on a socket, pipe or FIFO.
 *
 * All of its bytes are moved by its stream, on the channel's worker, without blocking, or by a lane where the peer could make that
 * wait. With ?retry= it connects again
 * after a failure, and goes on: what a sink has not sent is in its pipe. The new connection is opened on a thread, and
 * outlives the port where that is detached meanwhile.
 */
#include "port-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base.h"
#include "channel.h"
#include "deferred-close.h"
#include "file-claim.h"
#include "kinds.h"
#include "linger.h"
#include "log.h"
#include "reopening.h"
#include "sink-options.h"
#include "stream.h"
#include "worker.h"

struct stream_port {
	struct port port;
	struct stream stream;
	bool socket;
	struct loop_io timer;
	struct reopening *reopening; /* under way */
};

/* Somebody else has a copy of it, or what is read from it may bring descriptors. */
static bool stream_port_needs_lane(const struct port *p)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	if (!S_ISSOCK(p->config.opened.type)) /* (of a pipe somebody can hold the lock alone, which stops what he may open) */
		return false;
	if (p->config.uri.kind->passed)
		return true;
	getsockopt(p->config.opened.fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	return domain == AF_UNIX && p->config.dir == PORT_SOURCE;
}

static bool stream_port_fits(const struct opened *o)
{
	return !o->ops && (S_ISFIFO(o->type) || (S_ISSOCK(o->type) && port_look_stream(o->fd, false)));
}

/* A pipe is covered by SPLICE_F_NONBLOCK, and its flags may be shared with who passed it. */
static int stream_port_ready(struct stream_port *sp)
{
	const struct port *p = &sp->port;
	const struct opened *o = &p->config.opened;
	int fd = o->fd;

	if (!stream_port_fits(o)) /* a path may name something else by now */
		return -EINVAL;
	sp->socket = S_ISSOCK(o->type);
	if (!sp->socket)
		return 0;
	if (!p->config.uri.kind->passed) /* else that may wait for who has it as well, and is done (kind-fd.c) */
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
}

static void stream_port_run(struct stream_port *sp)
{
	struct port *p = &sp->port;
	bool out = p->config.dir == PORT_SINK;

	p->state = PORT_RUNNING;
	p->err = 0;
	stream_start(&sp->stream, p->config.opened.fd, out ? p->pipe : p->inlet.fd, out);
}

/* The socket has failed; whoever passed it may have made its last close wait. */
static void stream_port_let_go(struct stream_port *sp)
{
	struct port *p = &sp->port;

	file_claim_drop(p->config.opened.claim); /* its path may name a file by now */
	p->config.opened.claim = NULL;
	deferred_close_after(&p->config.opened.fd, p->config.rights.uid, p->channel->worker->loop);
}

static void stream_port_again(struct stream_port *sp, int err)
{
	port_retry(&sp->port, err, "connecting", &sp->timer);
}

static void stream_port_reopened(struct port *p, struct opening *o)
{
	struct stream_port *sp = container_of(p, struct stream_port, port);
	int err = o->err;

	if (err == 0) {
		p->config.opened = opened_take(&o->opened);
		err = stream_port_ready(sp);
	}
	if (err < 0) {
		stream_port_let_go(sp);
		stream_port_again(sp, err);
		return;
	}
	log_user_info(p->config.rights.uid, "%s: port %u: connected to %s again", p->channel->label, p->id,
		      p->config.uri.text);
	stream_port_run(sp);
}

static void stream_port_due(struct loop_io *io, int res)
{
	struct stream_port *sp = container_of(io, struct stream_port, timer);
	int err = reopening_start(&sp->reopening, &sp->port, NULL, stream_port_reopened);

	if (err < 0)
		stream_port_again(sp, err);
}

/* What was passed cannot be opened again: a sink's data waits then. */
static bool stream_port_retries(const struct port *p)
{
	return !p->config.uri.kind->passed && sink_options_on_error(p) == ON_ERROR_RETRY;
}

static void stream_port_ended(struct stream *s, int err)
{
	struct stream_port *sp = container_of(s, struct stream_port, stream);
	struct port *p = &sp->port;
	struct worker *w = p->channel->worker;

	port_count(p, s);
	if (p->leaving) {
		port_stopped(p);
		return;
	}
	if (err < 0 && stream_port_retries(p)) {
		stream_port_let_go(sp);
		stream_port_again(sp, err);
		return;
	}
	if (err == 0 && p->config.dir == PORT_SINK && sp->socket)
		linger_add(&w->lingers, w->loop, fd_take(&p->config.opened.fd), p->config.rights.uid, s->lane);
	port_end(p, err);
}

static void stream_port_drained(struct stream *s)
{
	port_drained(&container_of(s, struct stream_port, stream)->port);
}

/* A private tap does not end before all of it is sent: else nothing could be put back. */
static void stream_port_holds(struct stream *s, bool holds)
{
	const struct port *p = &container_of(s, struct stream_port, stream)->port;
	struct tap *tap = p->tap >= TAP_PRIVATE ? channel_find_tap(p->channel, p->tap) : NULL;

	if (tap)
		tap->held = holds;
}

/* Back to the head of the tap. */
static void stream_port_left(struct stream *s, int rd, size_t bytes)
{
	struct port *p = &container_of(s, struct stream_port, stream)->port;
	struct tap *tap = channel_find_tap(p->channel, p->tap);
	int err;

	if (!tap) {
		s->lost += bytes;
		return;
	}
	tap->held = false;
	err = tap_recall(tap, p->pipe);
	if (err == 0)
		err = (int)queue_take_back(&tap->queue, rd, (size_t)pipe_size(rd));
	if (err < 0) {
		tap_lose(tap, bytes);
		log_user_err(p->config.rights.uid, "%s: port %u lost %zu bytes, giving back what it had not sent: %s",
			     p->channel->label, p->id, bytes, strerror(-err));
	}
	if (tap->id < TAP_PRIVATE) /* who opens the tap now must not be taken for a second reader */
		fd_close(&p->pipe);
	tap_look(tap);
}

static int stream_port_init(struct port *p)
{
	struct stream_port *sp = container_of(p, struct stream_port, port);
	struct loop *loop = p->channel->worker->loop;
	int err;

	loop_io_init(&sp->timer, loop, stream_port_due);
	stream_init(&sp->stream, loop, stream_port_ended);
	sp->stream.drained = stream_port_drained;
	sp->stream.holds = stream_port_holds;
	sp->stream.left = stream_port_left;
	sp->stream.stable = port_stable(p);
	err = stream_port_ready(sp);
	return err == 0 && stream_port_needs_lane(p) ? stream_use_lane(&sp->stream, p->config.rights.uid) : err;
}

static void stream_port_start(struct port *p)
{
	stream_port_run(container_of(p, struct stream_port, port));
}

static void stream_port_finish(struct port *p)
{
	struct stream_port *sp = container_of(p, struct stream_port, port);

	stream_finish(&sp->stream);
	port_count(p, &sp->stream);
	loop_io_cancel(&sp->timer);
	reopening_forget(&sp->reopening);
}

/* What was copied is in no pipe yet: it goes out first. */
static bool stream_port_stop(struct port *p)
{
	if (stream_rest(&container_of(p, struct stream_port, port)->stream)) {
		port_close(p);
		return false;
	}
	stream_port_finish(p);
	return true;
}

static int stream_port_report(struct port *p, struct port_report *r)
{
	const struct stream_port *sp = container_of(p, struct stream_port, port);

	port_report_stream(r, &sp->stream);
	return 0;
}

const struct uri_option stream_retry = {
	.name = "retry",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.parse = uri_option_number,
	.what = "seconds",
	.max = URI_SECONDS_MAX,
};

const struct port_ops port_stream = {
	.how = "splice",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.fits = stream_port_fits,
	.size = sizeof(struct stream_port),
	.init = stream_port_init,
	.start = stream_port_start,
	.stop = stream_port_stop,
	.finish = stream_port_finish,
	.report = stream_port_report,
};
