/*
 * The end of a port whose peer is a program. Both its stream and its process come to an end, in either order, and only the
 * second tells how it went. What a sink's program has not read is in its pipe yet, of which the daemon has both ends, and goes
 * back to the head of the tap: nothing of it is lost. What it has read is its own affair.
 */
#include "port-stream-parts.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "clock.h"
#include "deferred-close.h"
#include "log.h"
#include "program.h"
#include "sys.h"
#include "worker.h"

/* How often it is looked whether a program has read all. */
#define UNREAD_NSEC (NSEC_PER_SEC / 100)

void stream_port_begin_program(struct stream_port *sp)
{
	struct program *program = program_of(&sp->port.config.opened);

	if (program->unread >= 0) /* stream_port_let_end() */
		port_hold_tap(&sp->port, true);
	if (program_moves(program))
		stream_port_move(sp);
	else
		sp->port.state = PORT_LISTENING;
	program_watch_start(&sp->watch, program);
}

/* What is handed over only now may be a socket alone: whoever asks what anything else is may wait for it. */
void stream_port_program_moves(struct program_watch *w)
{
	struct stream_port *sp = container_of(w, struct stream_port, watch);
	struct program *program = w->program;
	int err = 0;

	if (program->handed) {
		port_hold_tap(&sp->port, false);
		sp->port.config.opened.type = S_IFSOCK;
		sp->port.config.opened.fd = program->data;
		err = stream_port_ready(sp);
	}
	if (err == 0) {
		stream_port_move(sp);
		return;
	}
	program->err = err;
	uri_why(program->why, "%s: what it has handed over is no stream socket", program->name);
	sp->through = true;
	program_watch_hurry(w);
}

/* It is told so, or sees it; what it has handed over is closed by nobody here, as long as somebody else may have it. */
static void stream_port_end_input(struct stream_port *sp, struct program *program)
{
	const struct port *p = &sp->port;

	if (program->handed && program_tell_end(program))
		return;
	stream_stop(&sp->stream); /* it does not name by its number what is another's soon */
	if (program->handed && sp->socket)
		stream_port_linger(sp, &program->data);
	else if (program->handed)
		deferred_close_after(&program->data, p->config.rights.uid, p->channel->worker->loop);
	else
		fd_close(&program->data);
}

void stream_port_await_program(struct stream_port *sp, int err)
{
	struct program *program = program_of(&sp->port.config.opened);

	sp->through = true;
	sp->result = err;
	if (program_look(program))
		stream_port_program_over(&sp->watch);
	else if (err < 0) /* it need not be waited for long */
		program_watch_hurry(&sp->watch);
	else if (sp->port.config.dir == PORT_SINK)
		stream_port_end_input(sp, program);
}

void stream_port_let_end(struct stream_port *sp)
{
	struct port *p = &sp->port;
	const struct program *program = program_of(&p->config.opened);
	struct tap *tap = port_own_tap(p);

	if (program && program->unread >= 0 && tap) {
		tap->held = !p->channel->over || sys.waiting(program->unread) > 0;
		if (tap->held && p->channel->over)
			loop_io_timer(&sp->unread, UNREAD_NSEC);
		if (tap->held)
			return;
	}
	port_drained(p);
}

void stream_port_unread(struct loop_io *io, int res)
{
	struct stream_port *sp = container_of(io, struct stream_port, unread);

	if (sys.waiting(sp->port.pipe) == 0)
		stream_port_let_end(sp);
}

void stream_port_take_back(struct stream_port *sp)
{
	struct port *p = &sp->port;
	const struct program *program = program_of(&p->config.opened);
	int unread = program && program->unread >= 0 ? sys.waiting(program->unread) : 0;

	if (unread <= 0)
		return;
	p->bytes -= (uint64_t)unread < p->bytes ? (uint64_t)unread : p->bytes;
	stream_port_put_back(p, program->unread, (size_t)unread);
}

/* Returns 0, or how it failed, with the reason. */
static int stream_port_program_result(struct stream_port *sp, struct program *program)
{
	struct port *p = &sp->port;
	bool ended = program_look(program); /* and so it has said all that it had to say */
	int err;
	bool early;

	program_listen_words(program);
	program_listen_complaints(program);
	err = ended || program->err < 0 ? program_result(program, p->why) : sp->result;
	early = !sp->through || sp->result < 0 || (program->unread >= 0 && sys.waiting(program->unread) > 0);

	if (err < 0 || !early || p->config.dir == PORT_SOURCE)
		return err < 0 ? err : sp->result;
	uri_why(p->why, "%s: it has ended before its stream", program->name);
	return -EPIPE;
}

/* It has ended before its stream, as it may: what a source has written is there yet, and what was handed over needs it no more. */
static bool stream_port_goes_on(const struct stream_port *sp, const struct program *program)
{
	if (sp->through || !program_moves(program))
		return false;
	return sp->port.config.dir == PORT_SOURCE || (program->handed && program_ended_well(program));
}

void stream_port_program_over(struct program_watch *w)
{
	struct stream_port *sp = container_of(w, struct stream_port, watch);
	struct port *p = &sp->port;
	struct program *program = program_of(&p->config.opened);
	int err;

	program_kill_group(program);
	memcpy(sp->how, program->how, sizeof(sp->how));
	if (stream_port_goes_on(sp, program))
		return;
	if (stream_break(&sp->stream, -EPIPE)) /* and comes here again */
		return;
	stream_stop(&sp->stream);
	port_count(p, &sp->stream);
	err = stream_port_program_result(sp, program);
	if (err < 0)
		stream_port_take_back(sp);
	else if (program->handed && program->data >= 0 && sp->socket && p->config.dir == PORT_SINK)
		stream_port_linger(sp, &program->data);
	program_watch_stop(w);
	stream_port_end(sp, err);
}
