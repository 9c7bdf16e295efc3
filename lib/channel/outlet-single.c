/*
 * The outlet of one reader alone: his FIFO is held before he comes, and nobody comes to it after him. So the end of a stream
 * needs no ENDING: nothing has to be kept for another, and in IDLE he has the rest to read, and then the end. Whether he
 * is still there is asked by opening it for writing: only a reader makes that succeed.
 */
#include "outlet-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>

#include "base.h"
#include "worker.h"

void outlet_single_look(struct outlet *o)
{
	int fd = fifo_open(&o->fifo, O_WRONLY, 1);

	o->unread = fd == -ENXIO;
	fd_close(&fd);
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

static void outlet_single_left(struct watch *watch, uint32_t mask)
{
	loop_io_timer(&container_of(watch, struct outlet, peers)->room, OUTLET_LEAVING_NSEC);
}

/* Without a watch he is found to have left when the next stream begins. */
void outlet_single_part(struct outlet *o, struct worker *w)
{
	watch_add(&o->peers, &w->watcher, o->fd, IN_CLOSE_NOWRITE, outlet_single_left);
	outlet_leave(o, OUTLET_IDLE, -1);
	loop_io_timer(&o->room, OUTLET_LEAVING_NSEC); /* he may have left before that */
}
