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
#include "inode.h"
#include "log.h"
#include "monitor.h"
#include "tee.h"

/* Starting and stopping, on the worker. */
struct events_job {
	struct job job;
	struct inode *inode;
	struct channel *channel;
};

/* From a worker to the FUSE thread. */
struct told {
	struct loop_task task;
	struct server *server;
	struct channel *channel; /* never followed: it may be gone */
	struct event event;
	char *uri;
};

static const char *event_time(char text[40], const struct timespec *ts)
{
	struct tm tm;
	size_t n;

	gmtime_r(&ts->tv_sec, &tm);
	n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, 40 - n, ".%03ldZ", ts->tv_nsec / 1000000);
	return text;
}

static json_t *event_json(struct server *s, const struct inode *inode, const struct event *e)
{
	static const char *const names[] = {
		[EVENT_WRITERS] = "open", [EVENT_NO_WRITERS] = "close", [EVENT_READERS] = "open",
		[EVENT_NO_READERS] = "close", [EVENT_FULL] = "full", [EVENT_ROOM] = "room", [EVENT_DROP] = "drop",
		[EVENT_PORT] = "port", [EVENT_OPENED] = "open", [EVENT_WRITER_LEFT] = "close",
		[EVENT_READER_LEFT] = "close",
	};
	bool writers = e->kind == EVENT_WRITERS || e->kind == EVENT_NO_WRITERS || e->kind == EVENT_WRITER_LEFT;
	bool readers = e->kind == EVENT_READERS || e->kind == EVENT_NO_READERS || e->kind == EVENT_READER_LEFT;
	char time[40];
	json_t *json = json_pack("{ss ss so}", "time", event_time(time, &e->time), "event", names[e->kind],
				 "name", json_of_path(e->tap ? node_get(&s->nodes, e->tap) : inode->origin));

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

static void told(struct loop_task *task)
{
	struct told *t = container_of(task, struct told, task);
	struct events_watch *w, *next;

	for (w = LIST_FIRST(&t->server->events); w; w = next) {
		next = LIST_NEXT(w, entry);
		if (w->channel == t->channel)
			w->happened(w, event_json(t->server, w->inode, &t->event), false);
	}
	free(t->uri);
	free(t);
}

void events_tell(void *server, struct channel *ch, const struct event *e)
{
	struct told *t = calloc(1, sizeof(*t));
	struct server *s = server;

	if (!t) {
		log_err("out of memory; an event of %s is not told", ch->label);
		return;
	}
	*t = (struct told){ .task.run = told, .server = s, .channel = ch, .event = *e };
	t->uri = e->uri ? strdup(e->uri) : NULL;
	t->event.uri = t->uri;
	loop_post(s->loop, &t->task);
}

void events_gone(struct server *s, const struct inode *inode)
{
	struct timespec now;
	struct events_watch *w, *next;
	char time[40];

	clock_gettime(CLOCK_REALTIME, &now);
	for (w = LIST_FIRST(&s->events); w; w = next) {
		next = LIST_NEXT(w, entry);
		if (w->inode == inode)
			w->happened(w, json_pack("{ss ss}", "time", event_time(time, &now), "event", "gone"), true);
	}
}

/* ---- starting and stopping ---- */

static void work_start(struct job *job)
{
	struct channel *ch = container_of(job, struct events_job, job)->channel;

	if (monitor_start(ch) < 0)
		log_err("out of memory; %s is not watched", ch->label);
}

static void work_stop(struct job *job)
{
	monitor_stop(container_of(job, struct events_job, job)->channel);
}

static void finish(struct job *job)
{
	struct events_job *j = container_of(job, struct events_job, job);

	j->inode->busy--;
	tee_channel_put(job->server, j->inode);
	inode_put(j->inode);
	free(j);
}

static bool post(struct events_watch *w, void (*work)(struct job *))
{
	struct events_job *j = calloc(1, sizeof(*j));

	if (!j)
		return false;
	j->inode = w->inode;
	j->channel = w->channel;
	w->inode->refs++;
	w->inode->busy++;
	job_post(w->server, w->channel->worker->loop, &j->job, work, finish);
	return true;
}

int events_start(struct events_watch *w)
{
	if (!post(w, work_start))
		return -ENOMEM;
	w->inode->refs++;
	w->inode->busy++;
	LIST_INSERT_HEAD(&w->server->events, w, entry);
	return 0;
}

void events_stop(struct events_watch *w)
{
	struct inode *inode = w->inode;

	LIST_REMOVE(w, entry);
	if (!post(w, work_stop))
		log_err("out of memory; %s stays watched", w->channel->label);
	inode->busy--;
	tee_channel_put(w->server, inode);
	inode_put(inode);
}
