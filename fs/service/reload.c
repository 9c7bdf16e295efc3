/*
 * What was read (config-reading.h) changes what is in force on the FUSE thread, in one piece. Reloads wait for each other,
 * so they come back in the order in which they were started; the first of the list is being read.
 */
#include "reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "json.h"
#include "base.h"
#include "config.h"
#include "config-reading.h"
#include "declare.h"
#include "log.h"
#include "services.h"

/* Of mistakes in an answer; the log has them all. */
#define ANSWER_LINES 200

struct reload {
	TAILQ_ENTRY(reload) entry;
	struct context *ctx;
	struct config_reading reading;
	void (*done)(void *data, json_t *answer);
	void *data;
	char *file;
	struct config *config; /* what was read; then what was in force before */
	struct lines applied;
	struct lines stays;
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
	lines_finish(&r->reading.mistakes);
	lines_finish(&r->applied);
	lines_finish(&r->stays);
	config_unref(r->config);
	free(r->file);
	free(r);
}

static void reload_refuse(struct reload *r, int err, const char *why)
{
	json_t *answer = json_of_error(err, why);

	log_wanted(LOG_ERR, "reload: %s", why);
	for (size_t i = 0; i < r->reading.mistakes.count; i++)
		log_wanted(LOG_ERR, "%s", r->reading.mistakes.line[i]);
	if (answer && r->reading.mistakes.count)
		json_object_set_new(answer, "mistakes", reload_texts(&r->reading.mistakes));
	reload_finish(r, answer);
}

/* ---- what changes, and what does not ---- */

static bool reload_same_quota(const struct quota *a, const struct quota *b)
{
	if (a->preset != b->preset || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->rules[i].group != b->rules[i].group || a->rules[i].id != b->rules[i].id ||
		    a->rules[i].limit != b->rules[i].limit)
			return false;
	return true;
}

static void reload_keep_text(struct reload *r, const char *name, char **to, char **from)
{
	if (*to && (!*from || strcmp(*to, *from)))
		lines_add(&r->stays, "%s stays %s until the next mount", name, *from ? *from : "as it is");
	free(*to);
	*to = *from;
	*from = NULL;
}

/* The root folder is the user's to change; where nothing was said it is as the folder below it. */
static void reload_keep_root(struct reload *r, const struct config *old, struct config *new)
{
	if ((new->owner != (uid_t)-1 && new->owner != old->owner) ||
	    (new->group != (gid_t)-1 && new->group != old->group))
		lines_add(&r->stays, "owner and group stay until the next mount: use chown(1)");
	if (new->mode != (mode_t)-1 && new->mode != old->mode)
		lines_add(&r->stays, "mode stays until the next mount: use chmod(1)");
	new->owner = old->owner;
	new->group = old->group;
	new->mode = old->mode;
}

/* [mount] is what it was. */
static void reload_keep_mount(struct reload *r, struct config *old, struct config *new)
{
	reload_keep_text(r, "point", &new->point, &old->point);
	reload_keep_text(r, "log", &new->log, &old->log);
	if (new->workers &&new->workers != old->workers)
		lines_add(&r->stays, "workers stays %u until the next mount", old->workers);
	new->workers = old->workers;
	if (new->allow_other >= 0 && new->allow_other != old->allow_other)
		lines_add(&r->stays, "allow_other stays %s until the next mount", old->allow_other ? "yes" : "no");
	new->allow_other = old->allow_other;
	reload_keep_root(r, old, new);
}

static void reload_tell_gone(struct reload *r, const struct config *old, const struct config *new)
{
	for (size_t i = 0; i < old->declared_count; i++)
		if (!config_find(new, old->declared[i].name))
			lines_add(&r->stays, "%s is declared no more, and stays until it is removed",
				  old->declared[i].name);
}

static void reload_told(void *data)
{
	struct reload *r = data;

	for (size_t i = 0; i < r->applied.count; i++)
		log_wanted(LOG_INFO, "reload: %s", r->applied.line[i]);
	for (size_t i = 0; i < r->stays.count; i++)
		log_wanted(LOG_WARNING, "reload: %s", r->stays.line[i]);
	reload_finish(r, json_pack("{so so}", "applied", reload_texts(&r->applied), "not", reload_texts(&r->stays)));
}

static void reload_apply(struct context *ctx, struct reload *r)
{
	struct config *old = ctx->config, *new = r->config;

	r->config = old; /* goes with the reload, if nobody else has it */
	ctx->config = new;
	if (memcmp(&old->defaults, &new->defaults, sizeof(new->defaults)))
		lines_add(&r->applied, "[defaults], for what is made from now on");
	for (enum account_resource of = 0; of < ACCOUNT_RESOURCES; of++)
		if (!reload_same_quota(&old->quotas.of[of], &new->quotas.of[of]))
			lines_add(&r->applied, "[%s]", settings_table[setting_of_resource(of)].name);
	if (!permits_equal(&old->permits, &new->permits))
		lines_add(&r->applied, "[ports], for what is attached from now on");
	ctx->defaults = new->defaults;
	ctx->quotas = new->quotas;
	accounts_limit(ctx);
	reload_tell_gone(r, old, new);
	reload_keep_mount(r, old, new);
	declare_all(ctx, old, &r->applied, &r->stays, reload_told, r);
}

/* ---- there and back ---- */

static void reload_next(struct context *ctx);

static void reload_read(struct config_reading *reading)
{
	struct reload *r = container_of(reading, struct reload, reading);
	struct context *ctx = r->ctx;

	TAILQ_REMOVE(&ctx->services->reloads, r, entry);
	r->config = reading->config;
	if (ctx->leaving)
		reload_refuse(r, -ENOTCONN, strerror(ENOTCONN));
	else if (reading->err == -EINVAL)
		reload_refuse(r, -EINVAL, "the file has mistakes, nothing is changed");
	else if (reading->err < 0)
		reload_refuse(r, reading->err, strerror(-reading->err));
	else
		reload_apply(ctx, r);
	reload_next(ctx);
}

/* Begins with the first of the list, or those that follow where that cannot be. */
static void reload_next(struct context *ctx)
{
	struct reload *r;

	while ((r = TAILQ_FIRST(&ctx->services->reloads))) {
		int err = ctx->leaving ? -ENOTCONN : config_reading_start(&r->reading, ctx->loop, r->file, reload_read);

		if (err == 0)
			return;
		TAILQ_REMOVE(&ctx->services->reloads, r, entry);
		reload_refuse(r, err, strerror(-err));
	}
}

void reload_start(struct context *ctx, void (*done)(void *data, json_t *answer), void *data)
{
	struct reload *r = calloc(1, sizeof(*r));
	bool first = TAILQ_EMPTY(&ctx->services->reloads);

	if (!r) {
		log_wanted(LOG_ERR, "reload: %s", strerror(ENOMEM));
		if (done)
			done(data, NULL);
		return;
	}
	r->ctx = ctx;
	r->done = done;
	r->data = data;
	r->file = ctx->config->file ? strdup(ctx->config->file) : NULL;
	if (!r->file) {
		reload_refuse(r, ctx->config->file ? -ENOMEM : -ENOENT,
			      ctx->config->file ? strerror(ENOMEM) : "the daemon was started without a configuration");
		return;
	}
	TAILQ_INSERT_TAIL(&ctx->services->reloads, r, entry);
	if (first)
		reload_next(ctx);
}

void reload_leave(struct context *ctx)
{
	if (!TAILQ_EMPTY(&ctx->services->reloads))
		config_reading_cancel(&TAILQ_FIRST(&ctx->services->reloads)->reading);
}
