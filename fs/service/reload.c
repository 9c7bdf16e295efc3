/*
 * A reload goes to the helper thread, which may wait for the disk and for who knows users, and comes back to change
 * what is in force, on the FUSE thread, in one piece. Reloads come back in the order in which they were started.
 */
#include "reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "job.h"
#include "json.h"
#include "base.h"
#include "config.h"
#include "declare.h"
#include "log.h"

/* Of mistakes in an answer; the log has them all. */
#define ANSWER_LINES 200

struct reload {
	struct job job;
	void (*done)(void *data, json_t *answer);
	void *data;
	char *file;
	int err;
	struct config *config;
	struct lines mistakes;
	struct lines applied;
	struct lines not ;
};

static json_t *reload_texts(const struct lines *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->count && i < ANSWER_LINES; i++)
		json_array_append_new(list, json_of_text(l->line[i]));
	return list;
}

/* Takes @answer, and frees the reload. */
static void reload_finish(struct reload *r, json_t *answer)
{
	if (r->done)
		r->done(r->data, answer);
	else
		json_decref(answer);
	lines_finish(&r->mistakes);
	lines_finish(&r->applied);
	lines_finish(&r->not );
	config_unref(r->config);
	free(r->file);
	free(r);
}

static void reload_refuse(struct reload *r, int err, const char *why)
{
	json_t *answer = json_of_error(err, why);

	log_err("reload: %s", why);
	for (size_t i = 0; i < r->mistakes.count; i++)
		log_err("%s", r->mistakes.line[i]);
	if (answer && r->mistakes.count)
		json_object_set_new(answer, "mistakes", reload_texts(&r->mistakes));
	reload_finish(r, answer);
}

/* ---- what changes, and what does not ---- */

static bool reload_same_quotas(const struct quotas *a, const struct quotas *b)
{
	if (a->preset != b->preset || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->rules[i].group != b->rules[i].group || a->rules[i].id != b->rules[i].id ||
		    a->rules[i].bytes != b->rules[i].bytes)
			return false;
	return true;
}

static void reload_keep_text(struct reload *r, const char *name, char **to, char **from)
{
	if (*to && (!*from || strcmp(*to, *from)))
		lines_add(&r->not, "%s stays %s until the next mount", name, *from ? *from : "as it is");
	free(*to);
	*to = *from;
	*from = NULL;
}

/* [mount] is what it was. */
static void reload_keep_mount(struct reload *r, struct config *old, struct config *new)
{
	reload_keep_text(r, "point", &new->point, &old->point);
	reload_keep_text(r, "log", &new->log, &old->log);
	if (new->workers &&new->workers != old->workers)
		lines_add(&r->not, "workers stays %u until the next mount", old->workers);
	new->workers = old->workers;
	if (new->allow_other >= 0 && new->allow_other != old->allow_other)
		lines_add(&r->not, "allow_other stays %s until the next mount", old->allow_other ? "yes" : "no");
	new->allow_other = old->allow_other;
}

static void reload_tell_gone(struct reload *r, const struct config *old, const struct config *new)
{
	for (size_t i = 0; i < old->declared_count; i++)
		if (!config_find(new, old->declared[i].name))
			lines_add(&r->not, "%s is declared no more, and stays until it is removed",
				  old->declared[i].name);
}

static void reload_told(void *data)
{
	struct reload *r = data;

	for (size_t i = 0; i < r->applied.count; i++)
		log_info("reload: %s", r->applied.line[i]);
	for (size_t i = 0; i < r->not .count; i++)
		log_warn("reload: %s", r->not .line[i]);
	reload_finish(r, json_pack("{so so}", "applied", reload_texts(&r->applied), "not", reload_texts(&r->not )));
}

static void reload_apply(struct context *ctx, struct reload *r)
{
	struct config *old = ctx->config, *new = r->config;

	r->config = old; /* goes with the reload, if nobody else has it */
	ctx->config = new;
	if (memcmp(&old->defaults, &new->defaults, sizeof(new->defaults)))
		lines_add(&r->applied, "[defaults], for what is made from now on");
	if (!reload_same_quotas(&old->quotas, &new->quotas))
		lines_add(&r->applied, "[quota]");
	if (!permits_equal(&old->permits, &new->permits))
		lines_add(&r->applied, "[ports], for what is attached from now on");
	ctx->defaults = new->defaults;
	ctx->quotas = new->quotas;
	accounts_limit(ctx);
	reload_tell_gone(r, old, new);
	reload_keep_mount(r, old, new);
	declare_all(ctx, old, &r->applied, &r->not, reload_told, r);
}

/* ---- there and back ---- */

static void reload_work_read(struct job *job)
{
	struct reload *r = container_of(job, struct reload, job);

	r->err = config_read(r->file, &r->config, &r->mistakes);
}

static void reload_read(struct job *job)
{
	struct reload *r = container_of(job, struct reload, job);
	struct context *ctx = job->ctx;

	if (ctx->leaving)
		reload_refuse(r, -ENOTCONN, strerror(ENOTCONN));
	else if (r->err == -EINVAL)
		reload_refuse(r, -EINVAL, "the file has mistakes, nothing is changed");
	else if (r->err < 0)
		reload_refuse(r, r->err, strerror(-r->err));
	else
		reload_apply(ctx, r);
}

void reload_start(struct context *ctx, void (*done)(void *data, json_t *answer), void *data)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (!r) {
		log_err("reload: %s", strerror(ENOMEM));
		if (done)
			done(data, NULL);
		return;
	}
	r->done = done;
	r->data = data;
	r->file = ctx->config->file ? strdup(ctx->config->file) : NULL;
	if (!r->file)
		reload_refuse(r, ctx->config->file ? -ENOMEM : -ENOENT,
			      ctx->config->file ? strerror(ENOMEM) : "the daemon was started without a configuration");
	else
		job_post(ctx, ctx->helper, &r->job, reload_work_read, reload_read);
}
