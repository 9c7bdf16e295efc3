#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "base.h"
#include "channel.h"
#include "engine.h"
#include "event.h"
#include "log.h"
#include "monitor.h"
#include "services.h"

/* Starting and stopping, on the worker. */
struct events_job {
	struct job job;
	struct hold hold;
};

/* From a worker to the FUSE thread. */
struct events_told {
	struct loop_task task;
	struct context *ctx;
	struct channel *channel; /* never followed: it may be gone */
	struct event event;
	char *uri;
};

static const char *events_time(char text[40], const struct timespec *ts)
{
	struct tm tm;
	size_t n;

	gmtime_r(&ts->tv_sec, &tm);
	n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, 40 - n, ".%03ldZ", ts->tv_nsec / 1000000);
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
	json_t *json = json_pack("{ss ss so}", "time", events_time(time, &e->time), "event", names[e->kind], "name",
				 json_of_path(e->tap ? node_get(&ctx->nodes, e->tap) : inode->origin));

	if (writers || readers)
		json_object_set_new(json, "side", json_string(writers ? "writer" : "reader"));
	if (e->kind == EVENT_DROP) {
		json_object_set_new(json, "bytes", json_of_number(e->bytes));
		json_object_set_new(json, "events", json_of_number(e->count));
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
		if (hold_is_of(w->hold.inode, t->channel))
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

void events_gone(struct context *ctx, const struct inode *inode)
{
	struct timespec now;
	struct events_watch *w, *next;
	char time[40];

	clock_gettime(CLOCK_REALTIME, &now);
	for (w = LIST_FIRST(&ctx->services->watches); w; w = next) {
		next = LIST_NEXT(w, entry);
		if (w->hold.inode == inode)
			w->happened(w, json_pack("{ss ss}", "time", events_time(time, &now), "event", "gone"), true);
	}
}

/* ---- starting and stopping ---- */

static void events_work_start(struct job *job)
{
	struct channel *ch = hold_channel(&container_of(job, struct events_job, job)->hold);

	if (monitor_start(ch) < 0)
		log_user_err(ch->user, "out of memory; %s is not watched", ch->label);
}

static void events_work_stop(struct job *job)
{
	monitor_stop(hold_channel(&container_of(job, struct events_job, job)->hold));
}

static void events_finish(struct job *job)
{
	struct events_job *j = container_of(job, struct events_job, job);

	hold_drop(&j->hold);
	free(j);
}

static bool events_post(struct events_watch *w, void (*work)(struct job *))
{
	struct events_job *j = calloc(1, sizeof(*j));

	if (!j)
		return false;
	hold_copy(&j->hold, &w->hold);
	hold_post(&j->hold, &j->job, work, events_finish);
	return true;
}

int events_start(struct events_watch *w)
{
	int err = hold_take_inode(&w->hold, w->ctx, w->node->inode);

	if (err == 0)
		err = hold_object(&w->hold);
	if (err == 0 && !events_post(w, events_work_start))
		err = -ENOMEM;
	if (err < 0)
		hold_drop(&w->hold);
	else
		LIST_INSERT_HEAD(&w->ctx->services->watches, w, entry);
	return err;
}

void events_stop(struct events_watch *w)
{
	LIST_REMOVE(w, entry);
	if (!events_post(w, events_work_stop))
		log_user_err(hold_channel(&w->hold)->user, "out of memory; %s stays watched",
			     hold_channel(&w->hold)->label);
	hold_drop(&w->hold);
}
