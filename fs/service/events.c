#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "base.h"
#include "channel.h"
#include "channel-stats.h"
#include "clock.h"
#include "engine.h"
#include "event.h"
#include "log.h"
#include "monitor.h"
#include "report.h"
#include "services.h"

/* As many as the attribute spfs.stats can tell of. */
#define EVENTS_STATE_TAPS (65536 / CHANNEL_STATS_TAP_MIN)

/* Stopping, on the worker. */
struct events_stopping {
	struct job job;
	struct hold hold;
};

/*
 * Starting: the worker begins to watch, and reports what there is at that moment; then it is found out who has the channel
 * open, and that is told with it. What happens meanwhile is told behind it.
 */
struct events_starting {
	struct job job;
	struct descriptor_scan_waiter waiter;
	struct hold hold;
	struct events_watch *watch; /* NULL: it has been stopped meanwhile */
	int err;                    /* of the worker */
	bool begun;
	struct report *report;
	json_t *early; /* events, an array */
};

/* From a worker to the FUSE thread. */
struct events_told {
	struct loop_task task;
	struct context *ctx;
	struct channel *channel; /* never followed: it may be gone */
	struct event event;
	char *uri;
};

static const char *events_time(char text[40], uint64_t nsec)
{
	const struct timespec ts = clock_timespec(nsec);
	struct tm tm;
	size_t n;

	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, 40 - n, ".%03ldZ", ts.tv_nsec / 1000000);
	return text;
}

static json_t *events_json(struct context *ctx, const struct inode *inode, const struct event *e)
{
	static const char *const names[] = {
		[EVENT_WRITERS] = "open",      [EVENT_NO_WRITERS] = "close",  [EVENT_READERS] = "open",
		[EVENT_NO_READERS] = "close",  [EVENT_FULL] = "full",         [EVENT_ROOM] = "room",
		[EVENT_DROP] = "drop",         [EVENT_PORT] = "port",         [EVENT_OPENED] = "open",
		[EVENT_WRITER_LEFT] = "close", [EVENT_READER_LEFT] = "close",
	};
	bool writers = e->kind == EVENT_WRITERS || e->kind == EVENT_NO_WRITERS || e->kind == EVENT_WRITER_LEFT;
	bool readers = e->kind == EVENT_READERS || e->kind == EVENT_NO_READERS || e->kind == EVENT_READER_LEFT;
	char time[40];
	json_t *json = json_pack("{ss ss so}", "time", events_time(time, e->time), "event", names[e->kind], "name",
				 json_of_path(e->tap ? node_get(&ctx->nodes, e->tap) : inode->origin));

	if (writers || readers)
		json_object_set_new(json, "side", json_string(writers ? "writer" : "reader"));
	if (e->kind == EVENT_DROP) {
		json_object_set_new(json, "bytes", json_of_number(e->bytes));
		json_object_set_new(json, "events", json_of_number(e->count));
	}
	if (e->port && e->kind != EVENT_PORT) {
		json_object_set_new(json, "id", json_of_number(e->port));
		json_object_set_new(json, "uri", json_of_text(e->uri));
	}
	if (e->kind == EVENT_PORT) {
		json_object_set_new(json, "id", json_of_number(e->port));
		json_object_set_new(json, "state", json_string(e->detached ? "detached" : port_state_name(e->state)));
		json_object_set_new(json, "uri", json_of_text(e->uri));
		json_object_set_new(json, "error", json_of_text(e->err ? strerror(-e->err) : NULL));
	}
	return json;
}

static void events_deliver(struct loop_task *task)
{
	struct events_told *t = container_of(task, struct events_told, task);
	struct events_watch *w, *next;

	for (w = LIST_FIRST(&t->ctx->services->watches); w; w = next) {
		next = LIST_NEXT(w, entry);
		if (!hold_is_of(w->hold.inode, t->channel))
			continue;
		if (w->starting)
			json_array_append_new(w->starting->early, events_json(t->ctx, w->hold.inode, &t->event));
		else
			w->happened(w, events_json(t->ctx, w->hold.inode, &t->event), false);
	}
	free(t->uri);
	free(t);
}

void events_tell(void *data, struct channel *ch, const struct event *e)
{
	struct events_told *t = calloc(1, sizeof(*t));
	struct context *ctx = data;

	if (!t) {
		log_user_err(ch->user, "out of memory; an event of %s is not told", ch->label);
		return;
	}
	*t = (struct events_told){ .task.run = events_deliver, .ctx = ctx, .channel = ch, .event = *e };
	t->uri = e->uri ? strdup(e->uri) : NULL;
	t->event.uri = t->uri;
	loop_post(ctx->loop, &t->task);
}

static void events_tell_early(struct events_starting *s)
{
	for (size_t i = 0; s->watch && i < json_array_size(s->early); i++)
		s->watch->happened(s->watch, json_incref(json_array_get(s->early, i)), false);
}

void events_gone(struct context *ctx, const struct inode *inode)
{
	struct events_watch *w, *next;
	uint64_t now = clock_now();
	char time[40];

	for (w = LIST_FIRST(&ctx->services->watches); w; w = next) {
		next = LIST_NEXT(w, entry);
		if (w->hold.inode != inode)
			continue;
		if (w->starting && !w->starting->begun) {
			w->began(w, -ENOENT);
			continue;
		}
		if (w->starting)
			events_tell_early(w->starting);
		w->happened(w, json_pack("{ss ss}", "time", events_time(time, now), "event", "gone"), true);
	}
}

/* ---- starting and stopping ---- */

static void events_starting_free(struct events_starting *s)
{
	if (s->watch)
		s->watch->starting = NULL;
	json_decref(s->early);
	report_free(s->report);
	hold_drop(&s->hold);
	free(s);
}

/* A new watch's first word; of a channel with more taps than are told of at once, not which. NULL: out of memory. */
static json_t *events_state_json(struct events_starting *s)
{
	struct channel_stats stats = { .report = s->report };
	json_t *json = NULL;
	uint64_t now = clock_now();
	char time[40];

	s->report = NULL;
	if (s->hold.inode->taps > EVENTS_STATE_TAPS ||
	    channel_stats_take(&stats, s->hold.ctx->services->scan, &s->hold) == 0)
		json = json_pack("{ss ss so}", "time", events_time(time, now), "event", "state", "name",
				 json_of_path(s->hold.inode->origin));
	if (json && json_object_update_missing_new(json, channel_stats_json(&stats)) < 0) {
		json_decref(json);
		json = NULL;
	}
	channel_stats_finish(&stats);
	return json;
}

/* Tells the state, and then what has happened since. */
static void events_begin(struct events_starting *s)
{
	json_t *event = s->watch ? events_state_json(s) : NULL;

	if (event)
		s->watch->happened(s->watch, event, false);
	else if (s->watch)
		log_user_err(hold_channel(&s->hold)->user, "out of memory; the state of %s is not told",
			     hold_channel(&s->hold)->label);
	events_tell_early(s);
}

static void events_scanned(struct descriptor_scan_waiter *waiter)
{
	struct events_starting *s = container_of(waiter, struct events_starting, waiter);

	events_begin(s);
	events_starting_free(s);
}

static void events_work_start(struct job *job)
{
	struct events_starting *s = container_of(job, struct events_starting, job);

	s->err = monitor_start(hold_channel(&s->hold));
	if (s->err == 0)
		s->report = report_create(hold_channel(&s->hold));
}

static void events_work_stop(struct job *job)
{
	monitor_stop(hold_channel(&container_of(job, struct events_stopping, job)->hold));
}

static void events_stopped(struct job *job)
{
	struct events_stopping *s = container_of(job, struct events_stopping, job);

	hold_drop(&s->hold);
	free(s);
}

static void events_post_stop(const struct hold *hold)
{
	struct events_stopping *s = calloc(1, sizeof(*s));

	if (!s) {
		log_user_err(hold_channel(hold)->user, "out of memory; %s stays watched", hold_channel(hold)->label);
		return;
	}
	hold_copy(&s->hold, hold);
	hold_post(&s->hold, &s->job, events_work_stop, events_stopped);
}

static void events_late(struct job *job)
{
	struct events_starting *s = container_of(job, struct events_starting, job);

	if (s->watch)
		s->watch->began(s->watch, -ETIMEDOUT);
}

static void events_started(struct job *job)
{
	struct events_starting *s = container_of(job, struct events_starting, job);

	if (s->err == 0 && !job_given_up(job) && !s->watch)
		events_post_stop(&s->hold);
	s->begun = s->err == 0 && s->watch;
	if (s->watch)
		s->watch->began(s->watch, s->err);
	if (!s->begun) {
		events_starting_free(s);
		return;
	}
	s->waiter.done = events_scanned;
	descriptor_scan_want(s->hold.ctx->services->scan, &s->waiter);
}

/* NULL: out of memory. */
static struct events_starting *events_starting_create(struct events_watch *w)
{
	struct events_starting *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->early = json_array();
	if (!s->early) {
		free(s);
		return NULL;
	}
	hold_copy(&s->hold, &w->hold);
	s->watch = w;
	return s;
}

int events_start(struct events_watch *w)
{
	int err = hold_take_inode(&w->hold, w->ctx, w->node->inode);

	if (err == 0)
		err = hold_object(&w->hold);
	w->starting = err == 0 ? events_starting_create(w) : NULL;
	if (err == 0 && !w->starting)
		err = -ENOMEM;
	if (err < 0) {
		hold_drop(&w->hold);
		return err;
	}
	LIST_INSERT_HEAD(&w->ctx->services->watches, w, entry);
	hold_post(&w->hold, &w->starting->job, events_work_start, events_started);
	job_patient(&w->starting->job, job_deadline(), events_late);
	return 0;
}

/* One that has not begun yet stops when it has. */
void events_stop(struct events_watch *w)
{
	bool begun = !w->starting || w->starting->begun;

	LIST_REMOVE(w, entry);
	if (w->starting)
		w->starting->watch = NULL;
	if (begun)
		events_post_stop(&w->hold);
	hold_drop(&w->hold);
}
