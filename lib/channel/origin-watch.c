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
#include "engine.h"
#include "event.h"
#include "log.h"
#include "monitor.h"

static void fit(struct channel *ch)
{
	if (ch->settings.value[SETTING_SIZE] && channel_fit(ch) < 0)
		log_info("%s: the ring holds more than its size, and is left as it is", ch->label);
}

static void tell(struct channel *ch, uint32_t kind)
{
	monitor_tell(ch, (struct event){ kind == IN_OPEN ? EVENT_OPENED :
					 kind == IN_CLOSE_WRITE ? EVENT_WRITER_LEFT : EVENT_READER_LEFT });
	if (kind == IN_OPEN)
		fit(ch);
}

static void tell_all(struct channel *ch)
{
	struct origin_watch *v = &ch->origin_watch;

	for (unsigned i = 0; i < v->count; i++)
		tell(ch, v->kinds[i]);
	v->count = 0;
}

static void flush(struct channel *ch)
{
	if (!ch->origin_watch.count || loop_io_armed(&ch->origin_watch.pause))
		return;
	tell_all(ch);
	loop_io_timer(&ch->origin_watch.pause, ORIGIN_WATCH_NSEC);
}

static void add(struct origin_watch *v, uint32_t kind)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < v->count; i++)
		if (v->kinds[i] != kind)
			v->kinds[kept++] = v->kinds[i];
	v->kinds[kept++] = kind;
	v->count = kept;
}

static void visited(struct watch *watch, uint32_t mask)
{
	struct channel *ch = container_of(watch, struct channel, origin_watch.watch);
	uint32_t kind = mask ? mask & (IN_OPEN | IN_CLOSE) : IN_OPEN; /* after an overflow nobody knows */

	if (!kind || (kind & ch->origin_watch.own))
		return;
	add(&ch->origin_watch, kind);
	flush(ch);
}

static void begin(struct channel *ch)
{
	_cleanup_fd_ int path = fifo_open(&ch->origin, O_PATH, 0);
	int err = path;

	if (path >= 0)
		err = watch_add(&ch->origin_watch.watch, &ch->worker->origins, path, IN_OPEN | IN_CLOSE, visited);
	if (err < 0)
		log_warn("%s: who opens it is not known: %s", ch->label, strerror(-err));
}

void origin_watch_look(struct channel *ch)
{
	bool wanted = (ch->monitor || ch->settings.value[SETTING_SIZE]) && ch->in < 0 && !ch->gone && !ch->relay;

	if (!wanted)
		origin_watch_end(ch);
	else if (!ch->origin_watch.watch.watcher)
		begin(ch);
}

void origin_watch_look_soon(struct channel *ch)
{
	loop_io_timer(&ch->origin_watch.pause, 0);
}

void origin_watch_end(struct channel *ch)
{
	if (ch->origin_watch.watch.watcher) {
		watcher_drain(&ch->worker->origins);
		tell_all(ch);
		watch_remove(&ch->origin_watch.watch);
	}
	loop_io_cancel(&ch->origin_watch.pause);
}

static void paused(struct loop_io *io, int res)
{
	struct channel *ch = container_of(io, struct channel, origin_watch.pause);

	if (!ch->origin_watch.watch.watcher) {
		origin_watch_look(ch);
		fit(ch); /* for who came meanwhile */
	}
	flush(ch);
}

void origin_watch_init(struct channel *ch)
{
	loop_io_init(&ch->origin_watch.pause, ch->worker->loop, paused);
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
