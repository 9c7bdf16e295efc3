/*
 * The worker writes the lines, for what it says is so at one moment; the FUSE thread knows the names and logs them. A
 * worker that is stuck answers nothing, and its channels are missing: so the log says how many are asked.
 */
#include "dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "channels.h"
#include "hold.h"
#include "log.h"
#include "standing.h"
#include "turns.h"

struct dump {
	struct job job;
	struct hold hold;
	char *text;
	size_t len;
	FILE *out;
};

/* Each line begins with the tap's number. */
static void dump_line(void *data, uint64_t tap, const char *text)
{
	fprintf(((struct dump *)data)->out, "%ju %s\n", (uintmax_t)tap, text);
}

static void dump_work(struct job *job)
{
	struct dump *d = container_of(job, struct dump, job);

	d->out = open_memstream(&d->text, &d->len);
	if (!d->out)
		return;
	channel_dump(hold_channel(&d->hold), dump_line, d);
	fclose(d->out);
}

static void dump_done(struct job *job)
{
	struct dump *d = container_of(job, struct dump, job);
	const char *label = hold_channel(&d->hold)->label;
	char *rest = d->text, *line;

	while ((line = strsep(&rest, "\n")) && *line) {
		char *text;
		const struct node *node = node_get(&job->ctx->nodes, strtoull(line, &text, 10));
		const struct node *tap = node ? node_name(node) : NULL;
		_cleanup_free_ char *path = tap && tap->parent && node_is_tap(tap) ? node_path(tap) : NULL;

		log_wanted(LOG_INFO, "dump: %s%s%s:%s", label, path ? ", tap " : "", path ? path : "", text);
	}
	hold_drop(&d->hold);
	free(d->text);
	free(d);
}

/* ---- all of them ---- */

/* What a channel is worth in turns: dozens of lines come back. */
#define DUMP_THINGS 16

struct dump_all {
	struct turns turns;
	struct context *ctx;
	uint64_t last;
	unsigned asked;
};

static unsigned dump_next(struct turns *t)
{
	struct dump_all *all = container_of(t, struct dump_all, turns);
	struct inode *inode = channels_after(&all->ctx->nodes.channels, all->last);
	struct dump *d;

	if (!inode)
		return 0;
	all->last = inode->ino;
	d = inode->object ? calloc(1, sizeof(*d)) : NULL;
	if (!d)
		return 1;
	if (hold_take_inode(&d->hold, all->ctx, inode) < 0) {
		free(d);
		return 0;
	}
	hold_post(&d->hold, &d->job, dump_work, dump_done);
	all->asked++;
	return DUMP_THINGS;
}

static void dump_asked(struct turns *t)
{
	struct dump_all *all = container_of(t, struct dump_all, turns);

	log_wanted(LOG_INFO, "dump: %u channels are asked", all->asked);
	standing_log(all->ctx);
	free(all);
}

void dump_log(struct context *ctx)
{
	struct dump_all *all = calloc(1, sizeof(*all));

	if (!all)
		return;
	all->ctx = ctx;
	all->turns = (struct turns){ .loop = ctx->loop, .step = dump_next, .done = dump_asked };
	turns_start(&all->turns);
}
