/*
 * A port on a socket, pipe or FIFO, which may be a program's (program.h): then that ends it.
 *
 * All of its bytes are moved by its stream, on the channel's worker, without blocking, or by a lane where the peer could
 * make that wait. With ?retry= it connects again after a failure, and goes on: what a sink has not sent is in its pipe.
 * The new connection is opened on a thread, and outlives the port where that is detached meanwhile.
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
#include "port-stream-parts.h"
#include "program.h"
#include "sink-options.h"
#include "socket.h"
#include "sys.h"
#include "worker.h"

/* Somebody else has a copy of it. */
static bool stream_port_is_shared(const struct port *p)
{
	return p->config.uri.kind->passed || program_of(&p->config.opened);
}

/* It is shared, or what is read from it may bring descriptors. */
static bool stream_port_needs_lane(const struct stream_port *sp)
{
	const struct port *p = &sp->port;

	if (!sp->socket) /* (of a pipe somebody can hold the lock alone, which stops what he may open) */
		return false;
	if (stream_port_is_shared(p))
		return true;
	return p->config.dir == PORT_SOURCE && socket_is_local(sp->fd);
}

static bool stream_port_fits(const struct opened *o)
{
	return (!o->ops || program_of(o)) &&
	       (S_ISFIFO(o->type) || (S_ISSOCK(o->type) && port_look_stream(o->fd, false)));
}

/* A pipe is covered by SPLICE_F_NONBLOCK, and its flags may be shared with who passed it. */
int stream_port_ready(struct stream_port *sp)
{
	struct port *p = &sp->port;
	struct opened *o = &p->config.opened;
	struct program *program = program_of(o);
	int fd = o->fd;

	if (!stream_port_fits(o)) /* a path may name something else by now */
		return -EINVAL;
	sp->fd = fd;
	sp->through = false;
	if (program) /* which may be closed on its pipe before it ends, and whatever has that number then is not meant */
		o->fd = program->process;
	sp->socket = S_ISSOCK(o->type);
	if (!sp->socket)
		return 0;
	if (!stream_port_is_shared(p)) /* else that may wait for who has it as well (kind-fd.c does it) */
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	return stream_port_needs_lane(sp) ? stream_use_lane(&sp->stream, p->config.rights.uid) : 0;
}

void stream_port_move(struct stream_port *sp)
{
	struct port *p = &sp->port;
	bool out = p->config.dir == PORT_SINK;

	p->state = PORT_RUNNING;
	stream_start(&sp->stream, sp->fd, out ? p->pipe : p->inlet.fd, out);
}

static void stream_port_run(struct stream_port *sp)
{
	struct port *p = &sp->port;

	p->err = 0;
	*p->why = '\0';
	if (program_of(&p->config.opened))
		stream_port_begin_program(sp);
	else
		stream_port_move(sp);
}

/* The socket has failed; whoever passed it may have made its last close wait. */
static void stream_port_let_go(struct stream_port *sp)
{
	struct port *p = &sp->port;

	file_claim_drop(p->config.opened.claim); /* its path may name a file by now */
	p->config.opened.claim = NULL;
	if (p->config.opened.ops)
		opened_close(&p->config.opened, p->config.rights.uid);
	else
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

void stream_port_end(struct stream_port *sp, int err)
{
	struct port *p = &sp->port;

	if (err < 0 && stream_port_retries(p)) {
		stream_port_let_go(sp);
		stream_port_again(sp, err);
	} else {
		port_end(p, err);
	}
}

void stream_port_linger(struct stream_port *sp, int *fd)
{
	struct worker *w = sp->port.channel->worker;

	linger_add(&w->lingers, w->loop, fd_take(fd), sp->port.config.rights.uid, sp->stream.lane);
}

static void stream_port_ended(struct stream *s, int err)
{
	struct stream_port *sp = container_of(s, struct stream_port, stream);
	struct port *p = &sp->port;

	port_count(p, s);
	if (err < 0 && p->config.dir == PORT_SINK && !stream_port_is_shared(p)) /* else others may have sent it */
		port_lose_unacknowledged(p, sp->fd);
	if (p->leaving) {
		port_stopped(p);
		return;
	}
	if (program_of(&p->config.opened)) {
		stream_port_await_program(sp, err);
		return;
	}
	if (err == 0 && p->config.dir == PORT_SINK && sp->socket)
		stream_port_linger(sp, &p->config.opened.fd);
	stream_port_end(sp, err);
}

static void stream_port_drained(struct stream *s)
{
	stream_port_let_end(container_of(s, struct stream_port, stream));
}

static void stream_port_holds(struct stream *s, bool holds)
{
	port_hold_tap(&container_of(s, struct stream_port, stream)->port, holds);
}

void stream_port_put_back(struct port *p, int rd, size_t bytes)
{
	struct tap *tap = channel_find_tap(p->channel, p->tap);
	int err;

	if (!tap) {
		p->lost += bytes;
		return;
	}
	tap->held = false;
	err = tap_recall(tap, p->pipe);
	if (err == 0)
		err = (int)queue_take_back(&tap->queue, rd, (size_t)pipe_size(rd));
	if (err < 0) {
		tap_lose(tap, bytes);
		log_user_err(p->config.rights.uid,
			     "%s: port %u lost %zu bytes, giving back what was not taken of it: %s", p->channel->label,
			     p->id, bytes, strerror(-err));
	}
	if (tap->id < TAP_PRIVATE) /* who opens the tap now must not be taken for a second reader */
		fd_close(&p->pipe);
	tap_look(tap);
}

static void stream_port_left(struct stream *s, int rd, size_t bytes)
{
	stream_port_put_back(&container_of(s, struct stream_port, stream)->port, rd, bytes);
}

static int stream_port_init(struct port *p)
{
	struct stream_port *sp = container_of(p, struct stream_port, port);
	struct loop *loop = p->channel->worker->loop;

	loop_io_init(&sp->timer, loop, stream_port_due);
	loop_io_init(&sp->unread, loop, stream_port_unread);
	program_watch_init(&sp->watch, loop, stream_port_program_moves, stream_port_program_over);
	stream_init(&sp->stream, loop, stream_port_ended);
	sp->stream.drained = stream_port_drained;
	sp->stream.holds = stream_port_holds;
	sp->stream.left = stream_port_left;
	sp->stream.stable = port_stable(p);
	return stream_port_ready(sp);
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
	program_watch_stop(&sp->watch);
	loop_io_cancel(&sp->unread);
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
	stream_port_take_back(container_of(p, struct stream_port, port));
	return true;
}

static int stream_port_report(struct port *p, struct port_report *r)
{
	const struct stream_port *sp = container_of(p, struct stream_port, port);
	const struct program *program = program_of(&p->config.opened);

	port_report_stream(r, &sp->stream);
	if (program)
		port_report_how(r, program->how);
	else if (*sp->how)
		port_report_how(r, sp->how);
	return 0;
}

/* Whether a program has read all of it is not to be waited for before. */
static void stream_port_over(struct port *p)
{
	struct stream_port *sp = container_of(p, struct stream_port, port);

	if (p->config.dir == PORT_SINK && program_of(&p->config.opened) && sys.waiting(p->pipe) == 0)
		stream_port_let_end(sp);
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
	.stream_over = stream_port_over,
};
