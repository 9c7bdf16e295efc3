/*
 * A reader's open that waits for a writer comes in as soon as there has been one, however short, and reads an end of file
 * if that has gone. So the write end is opened for a stream that begins, or because the rest of one waits, and closed for
 * an end that is owed: a look for its own sake would tell somebody of the next stream of an end that is none.
 *
 * Of inotify: it tells of an opening when it is done, but of a closing before the reader is off the pipe's count. Openings
 * are looked for all the time, and mean nothing while ENDING. Leavings are looked for while ENDING alone, and the
 * watch is widened for that: so the leavings of earlier readers and the outlet's own are not told of at all.
 *
 * An event is only the moment to look. Whether somebody reads is what poll(2) says of the write end: POLLERR exactly
 * while nobody does. So readers are known in HOLDING alone, and from ENDING the way to know leads through it.
 *
 * Where a descriptor for the next state is refused, the outlet stays in the one that keeps the bytes, and tries again.
 */
#include "outlet-parts.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

#include "base.h"
#include "worker.h"
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

bool outlet_is_read(const struct outlet *o)
{
	struct pollfd p = { .fd = o->fd };

	if (o->state != OUTLET_HOLDING)
		return o->state == OUTLET_ENDING;
	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLERR);
}

bool outlet_full(const struct outlet *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	return o->state == OUTLET_HOLDING && poll(&p, 1, 0) >= 0 && !(p.revents & POLLOUT);
}

/* What a poll has told may be old: somebody may read by now, and IN_OPEN have been seen before. */
static void outlet_look_unread(struct outlet *o)
{
	if (o->state == OUTLET_HOLDING)
		o->unread = !outlet_is_read(o);
}

static void outlet_room_ready(struct loop_io *io, int res)
{
	struct outlet *o = container_of(io, struct outlet, room);

	o->leaving = false;
	if (o->single && o->state != OUTLET_HOLDING)
		outlet_single_look(o);
	else if (res > 0 && (res & POLLERR))
		outlet_look_unread(o);
	else if (res > 0)
		o->visited = true;
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

void outlet_visited(struct watch *watch, uint32_t mask)
{
	struct outlet *o = container_of(watch, struct outlet, peers);

	if (mask && !(mask & (o->state == OUTLET_ENDING ? IN_CLOSE_NOWRITE : IN_OPEN)))
		return;
	if (o->state != OUTLET_ENDING) {
		o->unread = false; /* look again */
		o->visited = outlet_is_read(o);
		outlet_wait_left(o);
	}
	o->changed(o);
}

void outlet_init_common(struct outlet *o, const struct fifo *fifo, int fd, struct loop *loop,
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

int outlet_init(struct outlet *o, const struct fifo *fifo, int reserve, struct worker *w,
		void (*changed)(struct outlet *))
{
	_cleanup_fd_ int path = -1;

	outlet_init_common(o, fifo, -1, w->loop, changed);
	path = fifo_open(fifo, O_PATH, reserve);
	if (path < 0)
		return path;
	return watch_add(&o->peers, &w->watcher, path, IN_OPEN, outlet_visited);
}

void outlet_leave(struct outlet *o, enum outlet_state state, int fd)
{
	loop_io_cancel(&o->room);
	loop_io_cancel(&o->left);
	if (o->state == OUTLET_ENDING && o->peers.watcher)
		watch_change(&o->peers, o->fd, IN_OPEN); /* cannot fail: it exists */
	fd_close(&o->fd);
	o->fd = fd;
	o->state = state;
	o->unread = o->leaving = o->starved = false;
	if (o->single && state == OUTLET_HOLDING)
		watch_remove(&o->peers);
	outlet_wait_left(o);
}

void outlet_finish(struct outlet *o)
{
	watch_remove(&o->peers);
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
	outlet_leave(o, OUTLET_HOLDING, fd);
	return 0;
}

/* Tries again soon, but says so once. */
static void outlet_starve(struct outlet *o, int err)
{
	if (!o->starved)
		log_user_err(o->user, "cannot end a stream yet: %s", pipe_error(err));
	o->starved = true;
	loop_io_cancel(&o->room);
	loop_io_timer(&o->room, RETRY_NSEC);
}

/*
 * From HOLDING to ENDING if somebody reads. Leaving readers are looked for before the last look at whether there is one.
 * One who was leaving just then may pass for one who reads, and only the look after LOOK_NSEC tells.
 */
static void outlet_begin_ending(struct outlet *o)
{
	int err, fd = -1;

	if (!outlet_is_read(o))
		return;
	err = watch_change(&o->peers, o->fd, IN_OPEN | IN_CLOSE_NOWRITE);
	if (err == 0 && outlet_is_read(o))
		err = fd = fifo_open(&o->fifo, O_RDONLY, 1);
	if (fd >= 0) {
		outlet_leave(o, OUTLET_ENDING, fd);
		loop_io_timer(&o->room, LOOK_NSEC);
		return;
	}
	watch_change(&o->peers, o->fd, IN_OPEN);
	if (err < 0)
		outlet_starve(o, err);
}

/*
 * From ENDING to HOLDING, for somebody has left, and only a write end tells whether he was the last reader. Returns true
 * if not a byte waits any more: who has read the rest meanwhile has seen the end, or sees it now.
 */
static bool outlet_stop_ending(struct outlet *o, bool dead)
{
	int err = outlet_hold(o);

	if (err < 0) {
		outlet_starve(o, err);
		return false;
	}
	if (outlet_waiting(o) == 0 && !dead)
		return true;
	o->leaving = true;
	loop_io_timer(&o->room, OUTLET_LEAVING_NSEC);
	return false;
}

bool outlet_settle(struct outlet *o, bool dead)
{
	bool through = outlet_waiting(o) == 0;

	if (o->fifo.dir >= 0) {
		through &= o->state == OUTLET_ENDING && !dead;
		if (o->state == OUTLET_ENDING && !through)
			through = outlet_stop_ending(o, dead);
		else if (o->state == OUTLET_HOLDING && !o->leaving)
			outlet_begin_ending(o);
	}
	if (through)
		outlet_leave(o, OUTLET_IDLE, -1);
	return through;
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

	return rd >= 0 ? pipe_drop(rd, sink, waiting) : 0;
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
