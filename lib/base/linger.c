/*
 * On the loop's thread. Whatever the peer sends is thrown away, a few reads a turn, until it closes or the timer ends
 * its patience. Out of memory the socket is closed at once: the peer may lose the last bytes, and the daemon nothing.
 *
 * Who has passed the socket may have told it to wait for its peer in the last close (SO_LINGER), which so is nowhere but
 * on a thread of its own.
 */
#include "linger.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"

/* Before others of the loop have a turn: a peer may send for ever. */
#define TURN_READS 16

struct lingering {
	TAILQ_ENTRY(lingering) entry;
	struct lingers *list;
	int fd;
	uid_t uid;
	struct loop_io io;
	struct loop_io timer;
};

static void lingering_destroy(struct lingering *l)
{
	loop_io_cancel(&l->io);
	loop_io_cancel(&l->timer);
	deferred_close_after(&l->fd, l->uid, l->io.loop);
	TAILQ_REMOVE(l->list, l, entry);
	free(l);
}

static void lingering_expired(struct loop_io *io, int res)
{
	lingering_destroy(container_of(io, struct lingering, timer));
}

static void lingering_readable(struct loop_io *io, int res)
{
	struct lingering *l = container_of(io, struct lingering, io);
	char buf[4096];
	ssize_t n = 0;

	for (int i = 0; i < TURN_READS; i++) {
		n = recv(l->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			break;
	}
	if (n > 0 || (n < 0 && errno == EAGAIN))
		loop_io_poll(io, l->fd, POLLIN);
	else
		lingering_destroy(l);
}

void linger_add(struct lingers *list, struct loop *loop, int fd, uid_t uid)
{
	struct lingering *l = calloc(1, sizeof(*l));

	shutdown(fd, SHUT_WR);
	if (!l) {
		deferred_close_after(&fd, uid, loop);
		return;
	}
	l->list = list;
	l->fd = fd;
	l->uid = uid;
	loop_io_init(&l->io, loop, lingering_readable);
	loop_io_init(&l->timer, loop, lingering_expired);
	loop_io_poll(&l->io, fd, POLLIN);
	loop_io_timer(&l->timer, LINGER_SECONDS * NSEC_PER_SEC);
	TAILQ_INSERT_TAIL(list, l, entry);
}

void linger_finish(struct lingers *list)
{
	struct lingering *l;

	while ((l = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, l, entry);
		deferred_close(&l->fd, l->uid);
		free(l);
	}
}
