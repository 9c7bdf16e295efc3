/*
 * The watch is on an inotify of its own (worker->origins): a node has one watch in each, and what is kept in the origin
 * has another. Both report the daemon's own opens. An inlet is a writer as others are, and told; what keeps bytes for a
 * later reader is none: the queue is emptied before it opens or closes something, and again after it. Who does the same
 * between these is missed.
 */
#include "visits.h"

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
	struct visits *v = &ch->visits;

	for (unsigned i = 0; i < v->count; i++)
		tell(ch, v->kinds[i]);
	v->count = 0;
}

static void flush(struct channel *ch)
{
	if (!ch->visits.count || loop_io_armed(&ch->visits.pause))
		return;
	tell_all(ch);
	loop_io_timer(&ch->visits.pause, VISITS_NSEC);
}

static void add(struct visits *v, uint32_t kind)
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
	struct channel *ch = container_of(watch, struct channel, visits.watch);
	uint32_t kind = mask ? mask & (IN_OPEN | IN_CLOSE) : IN_OPEN; /* after an overflow nobody knows */

	if (!kind || (kind & ch->visits.own))
		return;
	add(&ch->visits, kind);
	flush(ch);
}

static void begin(struct channel *ch)
{
	_cleanup_fd_ int path = fifo_open(&ch->origin, O_PATH, 0);
	int err = path;

	if (path >= 0)
		err = watch_add(&ch->visits.watch, &ch->worker->origins, path, IN_OPEN | IN_CLOSE, visited);
	if (err < 0)
		log_warn("%s: who opens it is not known: %s", ch->label, strerror(-err));
}

void visits_look(struct channel *ch)
{
	bool wanted = (ch->monitor || ch->settings.value[SETTING_SIZE]) && ch->in < 0 && !ch->gone && !ch->hub;

	if (!wanted)
		visits_end(ch);
	else if (!ch->visits.watch.watcher)
		begin(ch);
}

void visits_look_soon(struct channel *ch)
{
	loop_io_timer(&ch->visits.pause, 0);
}

void visits_end(struct channel *ch)
{
	if (ch->visits.watch.watcher) {
		watcher_drain(&ch->worker->origins);
		tell_all(ch);
		watch_remove(&ch->visits.watch);
	}
	loop_io_cancel(&ch->visits.pause);
}

static void paused(struct loop_io *io, int res)
{
	struct channel *ch = container_of(io, struct channel, visits.pause);

	if (!ch->visits.watch.watcher) {
		visits_look(ch);
		fit(ch); /* for who came meanwhile */
	}
	flush(ch);
}

void visits_init(struct channel *ch)
{
	loop_io_init(&ch->visits.pause, ch->worker->loop, paused);
}

void visits_own_begin(struct channel *ch)
{
	if (ch->visits.watch.watcher)
		watcher_drain(&ch->worker->origins);
}

void visits_own_end(struct channel *ch, uint32_t own)
{
	ch->visits.own = own;
	visits_own_begin(ch);
	ch->visits.own = 0;
}
