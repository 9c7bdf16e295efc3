/*
 * On the loop's thread, or by a lane. Whatever the peer sends is thrown away, a few reads a turn, until it closes or the timer ends
 * its patience. Out of memory the socket is closed at once: the peer may lose the last bytes, and the daemon nothing.
 *
 * A peer on this machine's file system (unix(7)) is not read: what it sends may have descriptors with it, which who reads them has
 * to close. Nor does it need that: a reset loses nothing there.
 *
 * Who has passed the socket may have told it to wait for its peer in the last close (SO_LINGER), which so is nowhere but
 * on a thread of its own.
 */
#include "linger.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"
#include "lane.h"
#include "socket.h"

/* Before others of the loop have a turn: a peer may send for ever. */
#define TURN_READS 16

#define READ_SIZE (64 << 10)

struct lingering {
	TAILQ_ENTRY(lingering) entry;
	struct lingers *list;
	int fd;
	uid_t uid;
	bool reads; /* what the peer sends */
	bool shut;  /* the lane has done that */
	struct loop_io io;
	struct loop_io timer;
	struct lane *lane;
	struct loop_io ask; /* by the lane */
	void *buf;          /* mmap(2)ed; what is asked for comes there */
};

static void lingering_destroy(struct lingering *l)
{
	bool busy = loop_io_armed(&l->ask);

	loop_io_cancel(&l->io);
	loop_io_cancel(&l->timer);
	loop_io_cancel(&l->ask);
	if (l->buf && !(busy && l->shut)) /* else it is the loop's */
		munmap(l->buf, READ_SIZE);
	if (l->lane)
		loop_io_fence(l->ask.loop, l->lane, l->fd);
	lane_put(l->lane);
	deferred_close_after(&l->fd, l->uid, l->io.loop);
	TAILQ_REMOVE(l->list, l, entry);
	free(l);
}

static void lingering_expired(struct loop_io *io, int res)
{
	lingering_destroy(container_of(io, struct lingering, timer));
}

static void lingering_wait(struct lingering *l)
{
	loop_io_poll(&l->io, l->fd, l->reads ? POLLIN : 0);
}

static void lingering_readable(struct loop_io *io, int res)
{
	struct lingering *l = container_of(io, struct lingering, io);
	char buf[4096];
	ssize_t n = 0;

	if (l->lane) {
		loop_io_read(&l->ask, l->fd, -1, l->buf, READ_SIZE, READ_SIZE);
		return;
	}
	for (int i = 0; l->reads && i < TURN_READS; i++) {
		n = recv(l->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			break;
	}
	if (n > 0 || (n < 0 && errno == EAGAIN))
		lingering_wait(l);
	else
		lingering_destroy(l);
}

/* It is shut down, or something was read. */
static void lingering_asked(struct loop_io *io, int res)
{
	struct lingering *l = container_of(io, struct lingering, ask);

	if (l->shut && res <= 0 && res != -EAGAIN && res != -EINTR) {
		lingering_destroy(l);
		return;
	}
	l->shut = true;
	lingering_wait(l);
}

/* Returns false where there is no memory for it. */
static bool lingering_use_lane(struct lingering *l, struct lane *lane)
{
	l->buf = mmap(NULL, READ_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->buf == MAP_FAILED)
		return false;
	l->lane = lane;
	lane_hold(lane);
	loop_io_act_as(&l->ask, lane, 0);
	loop_io_shutdown(&l->ask, l->fd);
	return true;
}

void linger_add(struct lingers *list, struct loop *loop, int fd, uid_t uid, struct lane *lane)
{
	struct lingering *l = calloc(1, sizeof(*l));

	if (l) {
		l->fd = fd;
		loop_io_init(&l->io, loop, lingering_readable);
		loop_io_init(&l->timer, loop, lingering_expired);
		loop_io_init(&l->ask, loop, lingering_asked);
	}
	if (!lane)
		shutdown(fd, SHUT_WR);
	if (!l || (lane && !lingering_use_lane(l, lane))) {
		free(l);
		deferred_close_after(&fd, uid, loop);
		return;
	}
	l->list = list;
	l->uid = uid;
	l->reads = !socket_is_local(fd);
	if (!lane)
		lingering_wait(l);
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
