/*
 * The watch is on an inotify of its own (worker->origins): a node has one watch in each, and what is kept in the origin
 * has another. Both report the daemon's own opens. An inlet is a writer as others are, and told; what keeps bytes for a
 * later reader is none: the queue is emptied before it opens or closes something, and again after it. Who does the same
 * between these is missed.
 */
#include "origin-watch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>

#include "base.h"
#include "channel-parts.h"
#include "worker.h"
#include "event.h"
#include "log.h"

static void origin_watch_fit(struct channel *ch)
{
	if (ch->settings.value[SETTING_SIZE] && channel_ring_opened(ch) < 0)
		log_user_info(ch->user, "%s: the ring holds more than its size, and is left as it is", ch->label);
}

static void origin_watch_tell(struct channel *ch, uint32_t kind)
{
	event_tell(ch, (struct event){ kind == IN_OPEN        ? EVENT_OPENED :
				       kind == IN_CLOSE_WRITE ? EVENT_WRITER_LEFT :
								EVENT_READER_LEFT });
	if (kind == IN_OPEN)
		origin_watch_fit(ch);
}

static void origin_watch_tell_all(struct channel *ch)
{
	struct origin_watch *v = &ch->origin_watch;

	for (unsigned i = 0; i < v->count; i++)
		origin_watch_tell(ch, v->kinds[i]);
	v->count = 0;
}

static void origin_watch_flush(struct channel *ch)
{
	if (!ch->origin_watch.count || loop_io_armed(&ch->origin_watch.pause))
		return;
	origin_watch_tell_all(ch);
	loop_io_timer(&ch->origin_watch.pause, ORIGIN_WATCH_NSEC);
}

static void origin_watch_add(struct origin_watch *v, uint32_t kind)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < v->count; i++)
		if (v->kinds[i] != kind)
			v->kinds[kept++] = v->kinds[i];
	v->kinds[kept++] = kind;
	v->count = kept;
}

static void origin_watch_visited(struct watch *watch, uint32_t mask)
{
	struct channel *ch = container_of(watch, struct channel, origin_watch.watch);
	uint32_t kind = mask ? mask & (IN_OPEN | IN_CLOSE) : IN_OPEN; /* after an overflow nobody knows */

	if (!kind || (kind & ch->origin_watch.own))
		return;
	stamp_set(kind == IN_CLOSE_WRITE ? &ch->stamp->mtime : &ch->stamp->atime, stamp_clock(ch->stamp));
	origin_watch_add(&ch->origin_watch, kind);
	origin_watch_flush(ch);
}

static void origin_watch_begin(struct channel *ch)
{
	_cleanup_fd_ int path = fifo_open(&ch->origin, O_PATH, 0);
	int err = path;

	if (path >= 0)
		err = watch_add(&ch->origin_watch.watch, &ch->worker->origins, path, IN_OPEN | IN_CLOSE,
				origin_watch_visited);
	if (err < 0)
		log_user_warn(ch->user, "%s: who opens it is not known: %s", ch->label, strerror(-err));
}

void origin_watch_look(struct channel *ch)
{
	bool wanted = (ch->monitor || ch->settings.value[SETTING_SIZE]) && ch->in < 0 && !ch->gone && !ch->relays;

	if (!wanted)
		origin_watch_end(ch);
	else if (!ch->origin_watch.watch.watcher)
		origin_watch_begin(ch);
}

void origin_watch_look_soon(struct channel *ch)
{
	loop_io_timer(&ch->origin_watch.pause, 0);
}

void origin_watch_end(struct channel *ch)
{
	if (ch->origin_watch.watch.watcher) {
		watcher_drain(&ch->worker->origins);
		origin_watch_tell_all(ch);
		watch_remove(&ch->origin_watch.watch);
	}
	loop_io_cancel(&ch->origin_watch.pause);
}

static void origin_watch_paused(struct loop_io *io, int res)
{
	struct channel *ch = container_of(io, struct channel, origin_watch.pause);

	if (!ch->origin_watch.watch.watcher) {
		origin_watch_look(ch);
		origin_watch_fit(ch); /* for who came meanwhile */
	}
	origin_watch_flush(ch);
}

void origin_watch_init(struct channel *ch)
{
	loop_io_init(&ch->origin_watch.pause, ch->worker->loop, origin_watch_paused);
}

void origin_watch_own_begin(struct channel *ch)
{
	if (ch->origin_watch.watch.watcher)
		watcher_drain(&ch->worker->origins);
}

void origin_watch_own_end(struct channel *ch, uint32_t own)
{
	ch->origin_watch.own = own;
	origin_watch_own_begin(ch);
	ch->origin_watch.own = 0;
}
