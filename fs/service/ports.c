#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "json.h"
#include "base.h"
#include "channel.h"
#include "engine.h"
#include "inode.h"
#include "log.h"
#include "report.h"
#include "tee.h"

/* ---- JSON ---- */

json_t *ports_json(const struct port_report *p, const char *name)
{
	return json_pack("{so ss so so ss ss? so so so so so so so so so so so so so}",
			 "id", json_of_number(p->id),
			 "dir", p->dir == PORT_SOURCE ? "source" : "sink",
			 "uri", json_of_text(p->uri),
			 "name", json_of_text(name),
			 "state", port_state_name(p->state),
			 "how", p->how,
			 "format", json_of_text(p->format),
			 "bytes", json_of_number(p->bytes),
			 "total", p->total ? json_of_number(p->total) : json_null(),
			 "pages_ref", json_of_number(p->pages_ref),
			 "copies", json_of_number(p->copies),
			 "frames", json_of_number(p->frames),
			 "dropped", json_of_number(p->dropped),
			 "clients", json_of_number(p->clients),
			 "connected", json_of_number(p->connected),
			 "disconnected", json_of_number(p->disconnected),
			 "lost", json_of_number(p->lost),
			 "errno", json_of_text(p->err ? strerrorname_np(-p->err) : NULL),
			 "error", json_of_text(p->error ? p->error : p->err ? strerror(-p->err) : NULL));
}

static void answer(struct ports_ask *a)
{
	const struct report *r = a->report;

	for (size_t i = 0; a->err == 0 && i < r->port_count; i++) {
		const struct port_report *p = &r->ports[i];
		const struct node *node = node_get(&a->server->nodes, p->node);
		_cleanup_free_ char *name = node && node->parent ? node_path(node) : NULL;

		if (a->id && p->id != a->id)
			continue;
		a->ended = p->state == PORT_DONE || p->state == PORT_FAILED;
		if (json_array_append_new(a->ports, ports_json(p, name)) < 0)
			a->err = -ENOMEM;
	}
	if (a->err == 0 && a->id && !json_array_size(a->ports))
		a->err = -ENOENT;
}

/* ---- the way to the worker and back ---- */

static void log_refusal(const struct ports_ask *a)
{
	const struct node *name = a->inode->origin ? a->inode->origin : LIST_FIRST(&a->inode->nodes);
	_cleanup_free_ char *path = name ? node_path(name) : NULL;

	log_info("%s: detach %u: %s", path ? path : "?", a->id, a->why);
}

static void finish(struct ports_ask *a)
{
	struct server *s = a->server;
	struct inode *inode = a->inode;

	report_free(a->report);
	a->report = NULL;
	if (!a->why)
		a->why = a->err == -ENOENT ? "the channel has no such port" : strerror(-a->err);
	if (a->err < 0 && a->detaches)
		log_refusal(a);
	a->done(a);
	inode->busy--;
	tee_channel_put(s, inode);
	inode_put(inode);
}

/* To the channel's worker; without a channel object there are no ports. */
static void ask(struct ports_ask *a, void (*work)(struct job *), void (*back)(struct job *))
{
	a->inode->refs++;
	a->inode->busy++;
	a->err = 0;
	a->why = NULL;
	a->ended = false;
	a->channel = a->inode->channel;
	if (a->channel) {
		job_post(a->server, a->channel->worker->loop, &a->job, work, back);
		return;
	}
	a->err = a->id ? -ENOENT : 0;
	finish(a);
}

static void work_tell(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	a->report = report_create(a->channel);
	a->err = a->report ? 0 : -ENOMEM;
}

static void finish_tell(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	if (a->err == 0)
		answer(a);
	finish(a);
}

void ports_tell(struct ports_ask *a)
{
	a->ports = json_array();
	ask(a, work_tell, finish_tell);
}

int ports_may_tell(const struct rights *r, const struct inode *inode)
{
	if (r->uid == inode->uid || access_check(r, inode, R_OK) == 0)
		return 0;
	return access_check(r, inode, W_OK);
}

/* ---- detaching ---- */

static void finish_detached(struct loop_task *task)
{
	struct ports_ask *a = container_of(task, struct ports_ask, detached);

	if (--a->waiting == 0)
		finish(a);
}

/* On the worker: nothing of the port is open any more. */
static void tell_detached(void *data)
{
	struct ports_ask *a = data;

	a->detached.run = finish_detached;
	loop_post(a->server->loop, &a->detached);
}

static void work_detach(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);
	const struct report *r = a->report = report_create(a->channel);
	size_t i = 0;

	while (r && i < r->port_count && r->ports[i].id != a->id)
		i++;
	if (!r)
		a->err = -ENOMEM;
	else if (i == r->port_count)
		a->err = -ENOENT;
	else if (!a->may[r->ports[i].dir])
		a->err = -EACCES;
	else
		a->err = port_detach(a->channel, a->id, tell_detached, a);
}

static void finish_detach(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	if (a->err == -EACCES)
		a->why = "no right to detach the port";
	if (a->err < 0 || --a->waiting == 0)
		finish(a);
}

void ports_detach(struct ports_ask *a, const struct rights *r)
{
	bool owner = r->uid == a->inode->uid;

	a->may[PORT_SOURCE] = owner || access_check(r, a->inode, W_OK) == 0;
	a->may[PORT_SINK] = owner || access_check(r, a->inode, R_OK) == 0;
	a->detaches = true;
	a->waiting = 2;
	ask(a, work_detach, finish_detach);
}
