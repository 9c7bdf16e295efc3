/*
 * One inotify for many watches, on the loop's thread. What is told may remove any watch, its own too, and drain the
 * queue once more: so nothing is kept across a call but what watch_remove() keeps right (watcher->next).
 *
 * The kernel gives no number of a watch again before all others had their turn, so what was queued for one that is
 * removed finds nobody; after the last has gone, perhaps another, who looks in vain. A failure to read is logged and no
 * more: the next event, or the next stream, looks again.
 *
 * The close of an inotify that had watches waits until the kernel has let go of all that anybody has removed: 10 ms, or a
 * second (fsnotify_destroy_group()). So it is on a thread of its own, and not for each watch that comes and goes.
 */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"
#include "log.h"

/* An inotify without watches goes after this. */
#define REST_NSEC (2 * NSEC_PER_SEC)

static struct watch *watch_after(const struct watch *watch)
{
	return watch->hh.next;
}

static void watcher_tell_all(struct watcher *w)
{
	struct watch *watch = w->watches;

	while (watch) {
		w->next = watch_after(watch);
		watch->event(watch, 0);
		watch = w->next;
	}
}

static void watcher_tell(struct watcher *w, const struct inotify_event *ev)
{
	struct watch *watch;

	if (ev->mask & IN_Q_OVERFLOW) {
		watcher_tell_all(w);
		return;
	}
	HASH_FIND_INT(w->watches, &ev->wd, watch);
	if (watch && !(ev->mask & IN_IGNORED))
		watch->event(watch, ev->mask);
}

void watcher_drain(struct watcher *w)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool telling = w->telling;
	ssize_t n = 0;

	w->telling = true;
	while (w->fd >= 0 && (n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *ev = (const void *)p;

			watcher_tell(w, ev);
			p += sizeof(*ev) + ev->len;
		}
	}
	w->telling = telling;
	if (n < 0 && errno != EAGAIN)
		log_err("inotify: %m");
}

bool watcher_has_news(const struct watcher *w)
{
	int bytes = 0;

	return w->telling || (w->fd >= 0 && (ioctl(w->fd, FIONREAD, &bytes) < 0 || bytes));
}

static void watcher_readable(struct loop_io *io, int res)
{
	struct watcher *w = container_of(io, struct watcher, io);

	watcher_drain(w);
	if (w->fd >= 0)
		loop_io_poll(io, w->fd, POLLIN);
}

static void watcher_rested(struct loop_io *io, int res)
{
	struct watcher *w = container_of(io, struct watcher, rest);

	if (w->watches)
		return;
	loop_io_cancel(&w->io);
	deferred_close_after(&w->fd, LOG_NOBODY, io->loop);
}

void watcher_init(struct watcher *w, struct loop *loop)
{
	*w = (struct watcher){ .fd = -1 };
	loop_io_init(&w->io, loop, watcher_readable);
	loop_io_init(&w->rest, loop, watcher_rested);
}

static int watcher_ready(struct watcher *w)
{
	if (w->fd < 0)
		w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return w->fd < 0 ? -errno : 0;
}

int watcher_open(struct watcher *w)
{
	w->stays = true;
	return watcher_ready(w);
}

void watcher_finish(struct watcher *w)
{
	if (w->io.loop && w->watched)
		deferred_close(&w->fd, LOG_NOBODY);
	else if (w->io.loop)
		fd_close(&w->fd);
}

static int watcher_set_mask(struct watcher *w, int fd, uint32_t mask)
{
	char path[32];
	int wd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(w->fd, path, mask);
	return wd < 0 ? -errno : wd;
}

static void watcher_rest(struct watcher *w)
{
	if (!w->watches && !w->stays)
		loop_io_timer(&w->rest, REST_NSEC);
}

int watch_add(struct watch *watch, struct watcher *w, int fd, uint32_t mask, void (*event)(struct watch *, uint32_t))
{
	int err = watcher_ready(w);

	if (err < 0)
		return err;
	watch->wd = watcher_set_mask(w, fd, mask);
	if (watch->wd < 0) {
		watcher_rest(w);
		return watch->wd;
	}
	w->watched = true;
	HASH_ADD_INT(w->watches, wd, watch);
	if (!watch->hh.tbl) {
		inotify_rm_watch(w->fd, watch->wd);
		watch->wd = -1;
		watcher_rest(w);
		return -ENOMEM;
	}
	watch->watcher = w;
	watch->event = event;
	loop_io_poll(&w->io, w->fd, POLLIN);
	return 0;
}

int watch_change(struct watch *watch, int fd, uint32_t mask)
{
	int wd = watcher_set_mask(watch->watcher, fd, mask);

	return wd < 0 ? wd : 0;
}

void watch_remove(struct watch *watch)
{
	if (!watch->watcher)
		return;
	if (watch->watcher->next == watch)
		watch->watcher->next = watch_after(watch);
	HASH_DEL(watch->watcher->watches, watch);
	inotify_rm_watch(watch->watcher->fd, watch->wd);
	watcher_rest(watch->watcher);
	watch->watcher = NULL;
}
