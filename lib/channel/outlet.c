/*
 * What is watched for in each state is what the outlet's own opens and closes there do not cause, or they would wake it
 * for ever:
 *
 *   IDLE, HOLDING  IN_OPEN: somebody may read now. (Its own opens say so too, but only as the state changes.)
 *   ENDING         IN_CLOSE_NOWRITE: a reader may have left, perhaps the last one, and left bytes.
 *
 * An event is only the moment to look. Whether somebody reads is what poll(2) says of the write end: POLLERR exactly
 * while nobody does. So readers are known in HOLDING alone, and from ENDING the way to know leads through it.
 *
 * Where a descriptor for the next state is refused, the outlet stays in the one that keeps the bytes, and tries again.
 */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

#include "base.h"
#include "clock.h"
#include "log.h"
#include "pipe.h"
#include "sys.h"

/* Out of descriptors at the end of a stream: try again after this. */
#define RETRY_NSEC (NSEC_PER_SEC / 10)

/*
 * A reader that may also write leaves with IN_CLOSE_WRITE, which the outlet's own closing causes too, so it cannot be
 * watched for. While a stream ends, who reads is looked at this often.
 */
#define LOOK_NSEC NSEC_PER_SEC

static bool outlet_has_reader(const struct outlet *o)
{
	struct pollfd p = { .fd = o->fd };

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLERR);
}

/* What a poll has told may be old: somebody may read by now, and IN_OPEN have been seen before. */
static void outlet_look_unread(struct outlet *o)
{
	if (o->state == OUTLET_HOLDING)
		o->unread = !outlet_has_reader(o);
}

static void outlet_room_ready(struct loop_io *io, int res)
{
	struct outlet *o = container_of(io, struct outlet, room);

	if (res > 0 && (res & POLLERR))
		outlet_look_unread(o);
	o->changed(o);
}

/* Readers leave, or a write end finds that there are none: POLLERR, which poll(2) always tells. */
static void outlet_wait_left(struct outlet *o)
{
	if (o->attend && o->state == OUTLET_HOLDING && !o->unread)
		loop_io_poll(&o->left, o->fd, 0);
}

static void outlet_readers_left(struct loop_io *io, int res)
{
	struct outlet *o = container_of(io, struct outlet, left);

	outlet_look_unread(o);
	outlet_wait_left(o);
	o->changed(o);
}

static void outlet_peer_event(struct watch *watch, uint32_t mask)
{
	struct outlet *o = container_of(watch, struct outlet, watch);

	o->unread = false; /* look again */
	outlet_wait_left(o);
	o->changed(o);
}

static void outlet_init_common(struct outlet *o, const struct fifo *fifo, int fd, struct loop *loop,
			       void (*changed)(struct outlet *))
{
	memset(o, 0, sizeof(*o));
	o->fifo = *fifo;
	o->fd = fd;
	o->changed = changed;
	o->size = PIPE_SIZE;
	loop_io_init(&o->room, loop, outlet_room_ready);
	loop_io_init(&o->left, loop, outlet_readers_left);
}

void outlet_init_pipe(struct outlet *o, int wr, struct loop *loop, void (*changed)(struct outlet *))
{
	outlet_init_common(o, &(struct fifo){ .dir = -1 }, wr, loop, changed);
	o->state = OUTLET_HOLDING;
}

int outlet_init(struct outlet *o, const struct fifo *fifo, struct loop *loop, struct watcher *watcher,
		void (*changed)(struct outlet *))
{
	_cleanup_fd_ int path = -1;

	outlet_init_common(o, fifo, -1, loop, changed);
	path = fifo_open(fifo, O_PATH, 0);
	if (path < 0)
		return path;
	return watch_add(&o->watch, watcher, path, IN_OPEN, outlet_peer_event);
}

static void outlet_leave(struct outlet *o, enum outlet_state state, int fd)
{
	loop_io_cancel(&o->room);
	loop_io_cancel(&o->left);
	fd_close(&o->fd);
	o->fd = fd;
	o->state = state;
	o->unread = false;
	outlet_wait_left(o);
}

void outlet_finish(struct outlet *o)
{
	watch_remove(&o->watch);
	outlet_leave(o, OUTLET_IDLE, -1);
}

int outlet_hold(struct outlet *o)
{
	int fd;

	if (o->state == OUTLET_HOLDING)
		return 0;
	fd = o->state == OUTLET_ENDING ? fifo_open(&o->fifo, O_WRONLY, 1) : fifo_open_held(&o->fifo, 1);
	if (fd < 0)
		return fd;
	pipe_fit(fd, o->size);
	watch_mask(&o->watch, fd, IN_OPEN);
	outlet_leave(o, OUTLET_HOLDING, fd);
	return 0;
}

/*
 * From HOLDING to ENDING if somebody reads. The watch looks for leaving readers before the last
 * look at whether there is one, so none can leave unseen; and each state watches for what its own
 * opens and closes do not cause, or they would wake it for ever.
 */
static void outlet_begin_ending(struct outlet *o)
{
	int fd;

	while (outlet_has_reader(o)) {
		watch_mask(&o->watch, o->fd, IN_CLOSE_NOWRITE);
		if (!outlet_has_reader(o)) {
			watch_mask(&o->watch, o->fd, IN_OPEN);
			continue;
		}
		fd = fifo_open(&o->fifo, O_RDONLY, 1);
		if (fd < 0) {
			log_err("cannot end a stream yet: %s", strerror(-fd));
			loop_io_cancel(&o->room);
			loop_io_timer(&o->room, RETRY_NSEC);
			return;
		}
		outlet_leave(o, OUTLET_ENDING, fd);
		loop_io_timer(&o->room, LOOK_NSEC);
		return;
	}
}

bool outlet_settle(struct outlet *o, bool dead)
{
	if (o->fifo.dir < 0) {
		if (outlet_waiting(o))
			return false;
		outlet_leave(o, OUTLET_IDLE, -1);
		return true;
	}
	if (o->state == OUTLET_ENDING) {
		if (outlet_waiting(o) == 0 && !dead) {
			outlet_leave(o, OUTLET_IDLE, -1);
			return true;
		}
		/* Who left may have been the last reader; only a write end can tell. */
		if (outlet_hold(o) < 0)
			return false;
	}
	if (o->state == OUTLET_HOLDING)
		outlet_begin_ending(o);
	return false;
}

void outlet_attend(struct outlet *o, bool attend)
{
	o->attend = attend;
	if (attend)
		outlet_wait_left(o);
	else
		loop_io_cancel(&o->left);
}

int outlet_resize(struct outlet *o, int size)
{
	int granted = o->fd >= 0 ? pipe_fit(o->fd, size) : size;

	if (granted < 0)
		return granted;
	o->size = size;
	return 0;
}

int outlet_size(const struct outlet *o)
{
	return o->fd >= 0 ? pipe_size(o->fd) : o->size;
}

size_t outlet_discard(struct outlet *o, int sink)
{
	size_t waiting = outlet_waiting(o);
	_cleanup_fd_ int rd = waiting ? fifo_open(&o->fifo, O_RDONLY, 1) : -1;

	return rd >= 0 && pipe_drop(rd, sink, waiting) == 0 ? waiting : 0;
}

void outlet_abandon(struct outlet *o)
{
	outlet_leave(o, OUTLET_IDLE, -1);
}

void outlet_want_room(struct outlet *o)
{
	if (o->state == OUTLET_HOLDING && !o->unread)
		loop_io_poll(&o->room, o->fd, POLLOUT);
}

size_t outlet_waiting(const struct outlet *o)
{
	int bytes = o->fd >= 0 ? sys.waiting(o->fd) : 0;

	return bytes > 0 ? (size_t)bytes : 0;
}
