/*
 * A question goes to the channel's worker, and its answer comes back to the FUSE thread; what is to be done (ports-detach.c,
 * ports-reopen.c) by a way of its own, for it may take for ever, and is on the services' list until it is answered. Where the
 * worker is late whoever waits is told so; the question itself is there until it has come back.
 */
#include "ports-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "json.h"
#include "base.h"
#include "channel.h"
#include "channels.h"
#include "log.h"
#include "report.h"
#include "services.h"

/* ---- JSON ---- */

json_t *ports_json(const struct port_report *p, const char *name)
{
	return json_pack("{so ss so so ss ss? so so so so so so so so so so so so so so so so}", "id",
			 json_of_number(p->id), "dir", p->dir == PORT_SOURCE ? "source" : "sink", "uri",
			 json_of_text(p->uri), "name", json_of_text(name), "state", port_state_name(p->state), "how",
			 p->how, "format", json_of_text(p->format), "file", json_of_text(p->file), "rotations",
			 json_of_number(p->rotations), "bytes", json_of_number(p->bytes), "total",
			 p->total ? json_of_number(p->total) : json_null(), "pages_ref", json_of_number(p->pages_ref),
			 "copies", json_of_number(p->copies), "frames", json_of_number(p->frames), "dropped",
			 json_of_number(p->dropped), "clients", json_of_number(p->clients), "connected",
			 json_of_number(p->connected), "disconnected", json_of_number(p->disconnected), "lost",
			 json_of_number(p->lost), "blocks_since", json_of_moment(p->since), "errno",
			 json_of_text(p->err ? strerrorname_np(-p->err) : NULL), "error",
			 json_of_text(p->error ? p->error :
				      p->err   ? strerror(-p->err) :
						 NULL));
}

static void ports_answer(struct ports_ask *a)
{
	const struct report *r = a->report;

	for (size_t i = 0; a->err == 0 && i < r->port_count; i++) {
		const struct port_report *p = &r->ports[i];
		const struct node *node = node_get(&a->ctx->nodes, p->node);
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

static void ports_log_refusal(const struct ports_ask *a)
{
	const struct node *name = a->inode->origin ? a->inode->origin : channels_name_after(a->inode, 0);
	_cleanup_free_ char *path = name ? node_path(name) : NULL;

	if (a->id)
		log_user_info(a->rights.uid, "%s: %s %u: %s", path ? path : "?", a->what, a->id, a->why);
	else
		log_user_info(a->rights.uid, "%s: %s: %s", path ? path : "?", a->what, a->why);
}

void ports_finish(struct ports_ask *a)
{
	struct hold hold = a->hold;

	report_free(a->report);
	a->report = NULL;
	if (a->what)
		LIST_REMOVE(a, entry);
	if (!a->why)
		a->why = a->err == -ENOENT ? "the channel has no such port" : strerror(-a->err);
	if (a->err < 0 && a->what)
		ports_log_refusal(a);
	rights_finish(&a->rights);
	a->done(a);
	hold_drop(&hold);
}

static const char ports_late_why[] = "the channel's worker does not answer";

static void ports_late(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	a->late(a);
}

void ports_look_given_up(struct ports_ask *a)
{
	if (!job_given_up(&a->job))
		return;
	a->err = -ETIMEDOUT;
	a->why = ports_late_why;
}

/* To the channel's worker; without a channel object there are no ports. */
static void ports_ask(struct ports_ask *a, void (*work)(struct job *), void (*back)(struct job *))
{
	void (*post)(const struct hold *, struct job *, void (*)(struct job *), void (*)(struct job *));

	post = a->what ? hold_post_longer : hold_post;
	a->why = NULL;
	a->ended = false;
	a->err = hold_take_inode(&a->hold, a->ctx, a->inode);
	if (a->err == 0 && hold_stands(&a->hold)) {
		a->err = -ETIMEDOUT;
		a->why = ports_late_why;
	} else if (a->err == 0 && hold_channel(&a->hold)) {
		post(&a->hold, &a->job, work, back);
		job_patient(&a->job, job_deadline(), ports_late);
		return;
	} else if (a->err == 0 && a->id) {
		a->err = -ENOENT;
	}
	ports_finish(a);
}

static void ports_work_tell(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	a->report = report_create(hold_channel(&a->hold));
	a->err = a->report ? 0 : -ENOMEM;
}

static void ports_told(struct job *job)
{
	struct ports_ask *a = container_of(job, struct ports_ask, job);

	ports_look_given_up(a);
	if (a->err == 0)
		ports_answer(a);
	ports_finish(a);
}

void ports_tell(struct ports_ask *a)
{
	a->ports = json_array();
	ports_ask(a, ports_work_tell, ports_told);
}

int ports_may_tell(const struct rights *r, const struct inode *inode)
{
	if (r->uid == inode->uid || access_check(r, inode, R_OK) == 0)
		return 0;
	return access_check(r, inode, W_OK);
}

/* ---- what is to be done ---- */

struct ports_forgetting {
	struct job job;
	struct hold hold;
	unsigned id;                 /* of what is detached; 0: nothing is */
	const struct ports_ask *ask; /* perhaps gone by now: whose, no more */
};

static void ports_work_forget(struct job *job)
{
	struct ports_forgetting *f = container_of(job, struct ports_forgetting, job);

	if (f->id)
		port_detach_forget(hold_channel(&f->hold), f->id, f->ask);
	port_reopen_forget(hold_channel(&f->hold), f->ask);
}

static void ports_forgotten(struct job *job)
{
	struct ports_forgetting *f = container_of(job, struct ports_forgetting, job);

	hold_drop(&f->hold);
	free(f);
}

void ports_forget(struct ports_ask *a)
{
	struct ports_forgetting *f = hold_channel(&a->hold) ? calloc(1, sizeof(*f)) : NULL;

	if (!f)
		return; /* nothing is waited for, or who does so waits on */
	f->id = !strcmp(a->what, "detach") ? a->id : 0;
	f->ask = a;
	hold_copy(&f->hold, &a->hold);
	hold_post(&f->hold, &f->job, ports_work_forget, ports_forgotten);
}

void ports_leave(struct context *ctx)
{
	struct ports_ask *a;

	LIST_FOREACH(a, &ctx->services->port_asks, entry)
		ports_forget(a);
}

void ports_do(struct ports_ask *a, const char *what, const struct rights *r, void (*work)(struct job *),
	      void (*back)(struct job *))
{
	a->what = what;
	LIST_INSERT_HEAD(&a->ctx->services->port_asks, a, entry);
	a->err = rights_copy(&a->rights, r);
	if (a->err < 0)
		ports_finish(a);
	else
		ports_ask(a, work, back);
}
