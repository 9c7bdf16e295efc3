/*
 * A stream whose peer is asked by a lane: one request at a time, between the peer and a pipe that nobody else has, because a
 * splice holds its pipes' locks for as long as it takes. Between that pipe and the channel's the bytes move here, at once.
 *
 * The peer is asked only once poll(2) says that it is ready: else who waits in vain has one of so few threads of the kernel's.
 */
#include "stream.h"

#include <errno.h>
#include <poll.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"
#include "lane.h"
#include "sys.h"

/* A peer that says it is ready, and is not, is asked again then. */
#define PAUSE_NSEC (NSEC_PER_SEC / 100)

/* ---- from the peer ---- */

/* What is to be copied goes by way of memory. Returns as splice(2). */
static ssize_t stream_lane_hand_on(struct stream *s)
{
	ssize_t n;

	if (!s->bounce.len && s->copying) {
		n = sys.read(s->between.rd, s->bounce.buf,
			     s->in_hand < STREAM_COPY_SIZE ? s->in_hand : STREAM_COPY_SIZE);
		if (n <= 0)
			return n;
		s->in_hand -= (size_t)n;
		s->bounce.at = 0;
		s->bounce.len = (size_t)n;
	}
	if (s->bounce.len)
		return stream_give_copy(s);
	n = sys.splice(s->between.rd, s->pipe, s->in_hand);
	if (n > 0) {
		s->in_hand -= (size_t)n;
		stream_moved(s, (size_t)n);
	}
	return n;
}

static void stream_lane_receive(struct stream *s)
{
	while (s->in_hand || s->bounce.len) {
		ssize_t n = stream_lane_hand_on(s);

		if (n == -EAGAIN) {
			loop_io_poll(&s->io, s->pipe, POLLOUT);
			return;
		}
		if (n <= 0) {
			stream_end(s, n < 0 ? (int)n : -EIO);
			return;
		}
	}
	if (s->last)
		stream_end(s, 0);
	else
		loop_io_poll(&s->io, s->fd, POLLIN | POLLPRI);
}

/* Urgent data of TCP (POLLPRI) splice(2) never takes; read(2) does, as a part of the stream (SO_OOBINLINE, kind-fd.c). */
static void stream_lane_ask_for_more(struct stream *s, int events)
{
	bool urgent = s->doubts && (events & POLLPRI);
	int err = 0;

	s->copying = s->stable && *s->stable;
	if (urgent || s->copying)
		err = bounce_ready(&s->bounce, STREAM_COPY_SIZE);
	if (err < 0)
		stream_end(s, err);
	else if (urgent)
		loop_io_read(&s->ask, s->fd, -1, s->bounce.buf, s->bounce.size, STREAM_COPY_SIZE);
	else
		loop_io_splice(&s->ask, s->fd, -1, s->between.wr, -1, PIPE_SIZE);
	s->urgent = urgent;
	s->doubts = false;
}

/* ---- to the peer ---- */

static void stream_lane_send(struct stream *s)
{
	ssize_t n;

	if (s->last) {
		stream_end(s, 0);
		return;
	}
	s->full = false;
	if (!s->in_hand && sys.waiting(s->pipe) <= 0) {
		loop_io_poll(&s->io, s->pipe, POLLIN);
		if (s->holds)
			s->holds(s, false);
		if (s->drained)
			s->drained(s);
		return;
	}
	if (!s->in_hand) {
		n = sys.splice(s->pipe, s->between.wr, PIPE_SIZE);
		if (n == -EAGAIN)
			loop_io_poll(&s->io, s->pipe, POLLIN);
		else if (n <= 0)
			stream_end(s, n < 0 ? (int)n : -EIO);
		if (n <= 0)
			return;
		s->in_hand = (size_t)n;
		if (s->holds)
			s->holds(s, true);
	}
	s->full = true;
	loop_io_poll(&s->io, s->fd, POLLOUT);
}

/* ---- either ---- */

void stream_lane_next(struct stream *s)
{
	if (loop_io_armed(&s->ask))
		return;
	if (s->out)
		stream_lane_send(s);
	else
		stream_lane_receive(s);
}

void stream_lane_ready(struct stream *s, int res)
{
	int err = s->between.rd < 0 ? pipe_open(&s->between, PIPE_SIZE) : 0;

	if (err < 0)
		stream_end(s, err);
	else if (res == 0) /* the pause is over */
		loop_io_poll(&s->io, s->fd, s->out ? POLLOUT : POLLIN | POLLPRI);
	else if (s->out && s->in_hand)
		loop_io_splice(&s->ask, s->between.rd, -1, s->fd, -1, s->in_hand);
	else if (s->out && res > 0 && (res & POLLHUP) && !(res & POLLIN))
		stream_end(s, 0);
	else if (s->out || s->in_hand || s->bounce.len)
		stream_lane_next(s);
	else
		stream_lane_ask_for_more(s, res);
}

static void stream_lane_took(struct stream *s, size_t n)
{
	if (s->out) {
		s->in_hand -= n;
		stream_moved(s, n);
	} else if (s->urgent) {
		s->bounce.at = 0;
		s->bounce.len = n;
	} else {
		s->in_hand = n;
	}
}

void stream_lane_asked(struct loop_io *io, int res)
{
	struct stream *s = container_of(io, struct stream, ask);

	if (res > 0)
		stream_lane_took(s, (size_t)res);
	if (s->broken) {
		stream_end(s, s->broken);
	} else if (res > 0) {
		stream_lane_next(s);
	} else if (s->last && (s->out || (!s->in_hand && !s->bounce.len))) {
		stream_end(s, 0);
	} else if (res == -EAGAIN || res == -EINTR || res == -ECANCELED) {
		s->doubts = res == -EAGAIN;
		loop_io_timer(&s->io, PAUSE_NSEC);
	} else {
		stream_end(s, s->out && res == 0 ? -EIO : res);
	}
}

void stream_lane_halt(struct stream *s)
{
	bool busy = loop_io_armed(&s->ask);

	loop_io_cancel(&s->ask);
	if (busy && s->urgent) /* the loop's now */
		s->bounce = (struct bounce){ 0 };
	if (s->in_hand && s->out && !busy && s->left)
		s->left(s, s->between.rd, s->in_hand);
	else
		s->lost += s->in_hand;
	s->in_hand = 0;
	s->urgent = false;
	s->broken = 0;
	if (busy) {
		deferred_close_after(&s->between.rd, s->uid, s->ask.loop);
		deferred_close_after(&s->between.wr, s->uid, s->ask.loop);
	}
	if (s->fd >= 0)
		loop_io_fence(s->ask.loop, s->lane, s->fd);
}
