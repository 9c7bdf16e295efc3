/*
 * Once it is shut down nothing comes into a connection's queue any more, so what has no descriptors can be thrown away, and
 * one whose queue is empty is closed at once: nothing of a user's goes with it. All others have one or more, or so many
 * messages that it takes more looks.
 */
#include "departures.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"

/* Messages thrown away in one look: by default a socket's buffer takes less than 300. */
#define LOOK_MESSAGES 1024

/* When to look again at those in flight, and at how many. */
#define AGAIN_NSEC (NSEC_PER_SEC / 10)
#define AGAIN_MAX 64

/*
 * Whether nothing is left in the queue of @fd, which is shut down. A message comes with credentials, even an empty one,
 * and the end comes without. Where there is no room for its descriptors, the kernel says so, and closes none by that: they
 * stay in the queue.
 */
static bool departures_is_empty(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int));
	for (int i = 0; i < LOOK_MESSAGES; i++) {
		char control[CMSG_SPACE(sizeof(struct ucred))], byte;
		struct iovec iov = { &byte, 1 };
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
		};

		if (recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT) < 0) {
			if (errno == ECONNRESET) /* told once, before what is in the queue */
				continue;
			return false;
		}
		if (msg.msg_controllen == 0)
			return true;
		if (msg.msg_flags & MSG_CTRUNC)
			return false;
		recv(fd, &byte, 1, MSG_DONTWAIT);
	}
	return false;
}

/* Whether a thread more may hang for @uid. */
static bool departures_have_thread(uid_t uid)
{
	return !deferred_close_crowded(uid) && (uid == 0 || deferred_close_all() < DEPARTURES_THREADS);
}

/* ---- in flight ---- */

/* Closes the first one, if that is possible by now, or puts it behind the others. Returns whether it could do either. */
static bool departures_try_first(struct departures *d)
{
	bool empty, thread;
	uid_t uid;
	int fd;

	if (flight_look(&d->waiting, &fd, &uid) < 0)
		return false;
	empty = departures_is_empty(fd);
	thread = !empty && departures_have_thread(uid);
	if (!empty && !thread && flight_put(&d->waiting, fd, uid) < 0) {
		fd_close(&fd);
		return false;
	}
	flight_drop(&d->waiting);
	if (thread)
		deferred_close(&fd, uid);
	else
		fd_close(&fd);
	return true;
}

static void departures_look(struct loop_io *io, int res)
{
	struct departures *d = container_of(io, struct departures, again);
	size_t left = d->waiting.count < AGAIN_MAX ? d->waiting.count : AGAIN_MAX;

	while (left && departures_try_first(d))
		left--;
	if (d->waiting.count)
		loop_io_timer(&d->again, AGAIN_NSEC);
}

/* ---- all ---- */

void departures_init(struct departures *d, struct loop *loop)
{
	d->loop = loop;
	flight_init(&d->waiting);
	loop_io_init(&d->again, loop, departures_look);
}

void departures_add(struct departures *d, int *fd, uid_t uid)
{
	shutdown(*fd, SHUT_RDWR);
	if (departures_is_empty(*fd)) {
		fd_close(fd);
	} else if (departures_have_thread(uid) || flight_put(&d->waiting, *fd, uid) < 0) {
		deferred_close_after(fd, uid, d->loop);
	} else {
		fd_close(fd);
		loop_io_timer(&d->again, AGAIN_NSEC);
	}
}

void departures_finish(struct departures *d)
{
	flight_finish(&d->waiting);
}
