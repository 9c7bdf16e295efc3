/*
 * The worker writes the lines, for what it says is so at one moment; the FUSE thread knows the names and logs them. A
 * worker that is stuck answers nothing, and its channels are missing: so the log says first how many are asked.
 */
#include "dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "channel.h"
#include "hold.h"
#include "log.h"
#include "standing.h"

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
		const struct node *tap = node_get(&job->ctx->nodes, strtoull(line, &text, 10));
		_cleanup_free_ char *path = tap && tap->parent && node_is_tap(tap) ? node_path(tap) : NULL;

		log_wanted(LOG_INFO, "dump: %s%s%s:%s", label, path ? ", tap " : "", path ? path : "", text);
	}
	hold_drop(&d->hold);
	free(d->text);
	free(d);
}

/* The first of the channel's names stands for it; where it has none, any node does. */
static bool dump_wants(const struct node *node)
{
	const struct inode *inode = node->inode;

	return inode->object && (LIST_EMPTY(&inode->nodes) || LIST_FIRST(&inode->nodes) == node);
}

void dump_log(struct context *ctx)
{
	unsigned asked = 0;

	for (struct node *node = ctx->nodes.by_id; node; node = node->by_id.next) {
		struct dump *d = dump_wants(node) ? calloc(1, sizeof(*d)) : NULL;

		if (!d)
			continue;
		if (hold_take_inode(&d->hold, ctx, node->inode) < 0) {
			free(d);
			return;
		}
		hold_post(&d->hold, &d->job, dump_work, dump_done);
		asked++;
	}
	log_wanted(LOG_INFO, "dump: %u channels are asked", asked);
	standing_log(ctx);
}
