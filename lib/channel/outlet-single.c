/*
 * The outlet of one reader alone: his FIFO is held before he comes, and nobody comes to it after him. So nothing has to be
 * kept for another at the end of a stream: in ENDING he has the rest to read, and then the end, and stays there until the
 * next stream begins, or he leaves. Whether he is still there is asked in HOLDING, and so is what he has left unread.
 */
#include "outlet-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>

#include "base.h"
#include "worker.h"

bool outlet_single_left(struct outlet *o)
{
	if (o->single && o->state == OUTLET_HOLDING && !o->unread)
		o->unread = !outlet_is_read(o);
	return o->single && o->unread;
}

int outlet_single_init(struct outlet *o, const struct fifo *fifo, struct worker *w, void (*changed)(struct outlet *))
{
	int err;

	outlet_init_common(o, fifo, -1, w->loop, changed);
	o->fd = fifo_open_held(fifo, 0);
	if (o->fd < 0)
		return o->fd;
	err = watch_add(&o->peers, &w->watcher, o->fd, IN_OPEN, outlet_visited);
	if (err < 0)
		fd_close(&o->fd);
	o->state = OUTLET_HOLDING;
	o->single = o->unread = true;
	return err;
}

void outlet_single_unwatch(struct outlet *o)
{
	watch_remove(&o->peers);
}

static void outlet_single_leaves(struct watch *watch, uint32_t mask)
{
	loop_io_timer(&container_of(watch, struct outlet, peers)->room, OUTLET_LEAVING_NSEC);
}

/*
 * Without a watch he is found to have left when the next stream begins; where not even the reserve has a descriptor, it is
 * not known then what he has left unread.
 */
static void outlet_single_end(struct outlet *o, struct watcher *watcher)
{
	int fd = fifo_open(&o->fifo, O_RDONLY, 1);

	if (watcher)
		watch_add(&o->peers, watcher, o->fd, IN_CLOSE_NOWRITE, outlet_single_leaves);
	outlet_leave(o, fd < 0 ? OUTLET_IDLE : OUTLET_ENDING, fd < 0 ? -1 : fd);
}

void outlet_single_part(struct outlet *o, struct worker *w)
{
	outlet_single_end(o, &w->watcher);
	loop_io_timer(&o->room, OUTLET_LEAVING_NSEC); /* he may have left before that */
}

void outlet_single_look(struct outlet *o)
{
	struct watcher *watcher = o->peers.watcher; /* HOLDING does without it */

	if (outlet_hold(o) == 0 && !outlet_single_left(o))
		outlet_single_end(o, watcher);
}
