/*
 * splice(2) says EAGAIN for a full pipe, an empty pipe, a full socket and an empty socket alike, so the other
 * side is asked which one to wait for. An end of file is told apart from a pipe that had no writer yet by
 * poll(2): POLLHUP means that one was there (pipe_poll() in the kernel's fs/pipe.c).
 *
 * A peer that only stops sending is there: it is gone once it takes nothing any more.
 */
#include "stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base.h"
#include "clock.h"
#include "lane.h"
#include "pipe.h"
#include "sys.h"

/* Calls before others of the loop have a turn. */
#define TURN_SPLICES 16

/* Who has a copy of the peer may hold up what a lane is to let go of; a loaded machine takes a while as well. */
#define BREAK_NSEC (5 * NSEC_PER_SEC)

static void stream_halt(struct stream *s)
{
	loop_io_cancel(&s->io);
	loop_io_cancel(&s->peer);
	if (s->lane)
		stream_lane_halt(s);
	s->lost += s->bounce.len;
	bounce_finish(&s->bounce);
	pipe_close(&s->between);
}

void stream_end(struct stream *s, int err)
{
	stream_halt(s);
	s->ended(s, err);
}

void stream_moved(struct stream *s, size_t n)
{
	s->bytes += n;
	s->pages += pipe_pages(n);
}

static void stream_send(struct stream *s)
{
	s->full = false;
	for (int i = 0; i < TURN_SPLICES; i++) {
		int waiting = sys.waiting(s->pipe);
		ssize_t n;

		if (waiting <= 0) {
			loop_io_poll(&s->io, s->pipe, POLLIN);
			if (s->drained)
				s->drained(s);
			return;
		}
		n = waiting > PIPE_SIZE / 2 ? sys.splice_more(s->pipe, s->fd, PIPE_SIZE / 2) :
					      sys.splice(s->pipe, s->fd, PIPE_SIZE);
		if (n == -EAGAIN) {
			s->full = true;
			loop_io_poll(&s->io, s->fd, POLLOUT);
			if (s->stalled)
				s->stalled(s);
			return;
		}
		if (n < 0) {
			stream_end(s, (int)n);
			return;
		}
		stream_moved(s, (size_t)n);
	}
	loop_io_poll(&s->io, s->pipe, POLLIN);
}

/* poll(2) revents of what can be received; POLLPRI: urgent data of TCP. */
static short stream_receivable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

/*
 * splice(2) from TCP stops before urgent data, whatever SO_OOBINLINE says (tcp_read_sock()), and would do so for
 * ever. So that is copied, as a part of the stream. Returns true where something was.
 */
static bool stream_receive_urgent(struct stream *s)
{
	char buf[4096]; /* PIPE_BUF: written whole or not at all */
	ssize_t n;

	setsockopt(s->fd, SOL_SOCKET, SO_OOBINLINE, &(int){ 1 }, sizeof(int));
	n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_PEEK);
	if (n <= 0 || sys.write(s->pipe, buf, (size_t)n) != n)
		return false;
	s->bytes += (uint64_t)n;
	s->copies++;
	return recv(s->fd, buf, (size_t)n, MSG_DONTWAIT) == n;
}

/* Takes a chunk into the buffer. Returns its bytes, 0 at the end, or a negative errno. */
static ssize_t stream_take_copy(struct stream *s)
{
	int err = bounce_ready(&s->bounce, STREAM_COPY_SIZE);
	ssize_t n;

	if (err == 0 && s->between.rd < 0)
		err = pipe_open(&s->between, STREAM_COPY_SIZE);
	if (err < 0)
		return err;
	n = sys.splice(s->fd, s->between.wr, STREAM_COPY_SIZE);
	if (n <= 0)
		return n;
	if (sys.read(s->between.rd, s->bounce.buf, (size_t)n) != n) {
		s->lost += (uint64_t)n;
		return -EIO;
	}
	s->bounce.at = 0;
	s->bounce.len = (size_t)n;
	return n;
}

ssize_t stream_give_copy(struct stream *s)
{
	ssize_t n = bounce_give(&s->bounce, s->pipe);

	if (n > 0) {
		s->bytes += (uint64_t)n;
		s->copies++;
	}
	return n;
}

static ssize_t stream_receive_copy(struct stream *s)
{
	ssize_t n = s->bounce.len ? 1 : stream_take_copy(s);

	return n <= 0 ? n : stream_give_copy(s);
}

/* Returns the bytes, 0 at the end, or a negative errno. */
static ssize_t stream_receive_chunk(struct stream *s)
{
	ssize_t n;

	if (!s->bounce.len)
		s->copying = s->stable && *s->stable;
	if (s->copying)
		return stream_receive_copy(s);
	n = sys.splice(s->fd, s->pipe, PIPE_SIZE);
	if (n > 0)
		stream_moved(s, (size_t)n);
	return n;
}

static void stream_receive(struct stream *s)
{
	for (int i = 0; i < TURN_SPLICES && (s->bounce.len || !s->last); i++) {
		ssize_t n = stream_receive_chunk(s);
		short there = n == -EAGAIN && !s->bounce.len ? stream_receivable(s->fd) : 0;

		if ((there & POLLPRI) && stream_receive_urgent(s))
			continue;
		if (there) {
			loop_io_poll(&s->io, s->pipe, POLLOUT);
			return;
		}
		if (n == -EAGAIN)
			break;
		if (n <= 0) {
			stream_end(s, (int)n);
			return;
		}
	}
	if (s->bounce.len)
		loop_io_poll(&s->io, s->pipe, POLLOUT);
	else if (s->last)
		stream_end(s, 0);
	else
		loop_io_poll(&s->io, s->fd, POLLIN);
}

static void stream_ready(struct loop_io *io, int res)
{
	struct stream *s = container_of(io, struct stream, io);

	if (s->lane)
		stream_lane_ready(s, res);
	else if (!s->out)
		stream_receive(s);
	else if (!s->full && res > 0 && (res & POLLHUP) && !(res & POLLIN))
		stream_end(s, 0);
	else
		stream_send(s);
}

/*
 * The peer has stopped sending, which io_uring tells unasked, again and again. It may go on to read, so it is looked at now
 * and then. One of TCP that has gone altogether says nothing more by itself: it is probed, and answers that with a reset.
 */
static void stream_watch_half(struct stream *s)
{
	setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ 1 }, sizeof(int));
	loop_io_timer(&s->peer, NSEC_PER_SEC);
}

static void stream_look_at_peer(struct loop_io *io, int res)
{
	struct stream *s = container_of(io, struct stream, peer);
	struct pollfd p = { .fd = s->fd };

	if (s->broken) { /* and what is under way does not come back */
		stream_end(s, s->broken);
		return;
	}
	if (poll(&p, 1, 0) > 0) { /* POLLERR, POLLHUP */
		if (!stream_break(s, -EPIPE))
			stream_end(s, -EPIPE);
		return;
	}
	if (s->lane)
		loop_io_timer(&s->peer, NSEC_PER_SEC);
	else
		stream_watch_half(s);
}

void stream_init(struct stream *s, struct loop *loop, void (*ended)(struct stream *, int))
{
	s->fd = s->pipe = -1;
	s->between = PIPE_NONE;
	s->ended = ended;
	loop_io_init(&s->io, loop, stream_ready);
	loop_io_init(&s->peer, loop, stream_look_at_peer);
	loop_io_init(&s->ask, loop, stream_lane_asked);
}

int stream_use_lane(struct stream *s, uid_t uid)
{
	int err = s->lane ? 0 : lane_get(s->ask.loop, uid, &s->lane);

	if (err < 0)
		return err;
	s->uid = uid;
	loop_io_act_as(&s->ask, s->lane, 0);
	return 0;
}

void stream_start(struct stream *s, int fd, int pipe, bool out)
{
	s->fd = fd;
	s->pipe = pipe;
	s->out = out;
	if (out) {
		loop_io_poll(&s->peer, fd, 0); /* POLLERR and POLLHUP are always told */
		loop_io_poll(&s->io, pipe, POLLIN);
	} else {
		loop_io_poll(&s->io, fd, s->lane ? POLLIN | POLLPRI : POLLIN);
	}
}

bool stream_rest(struct stream *s)
{
	s->last = s->bounce.len || (!s->out && s->in_hand) || loop_io_armed(&s->ask);
	loop_io_abort(&s->ask);
	return s->last;
}

bool stream_break(struct stream *s, int err)
{
	if (!s->out || !loop_io_armed(&s->ask))
		return false;
	if (s->broken)
		return true;
	s->broken = err;
	loop_io_abort(&s->ask);
	loop_io_cancel(&s->peer);
	loop_io_timer(&s->peer, BREAK_NSEC);
	return true;
}

void stream_finish(struct stream *s)
{
	stream_stop(s);
	lane_put(s->lane);
	s->lane = NULL;
}

void stream_stop(struct stream *s)
{
	stream_halt(s);
	s->fd = s->pipe = -1;
}
