/* What the files of settings share: nobody else calls these. */
#pragma once

#include "job.h"
#include "settings.h"

/* Writes the reason. Returns @err. */
int settings_refuse(struct settings_ask *a, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Holds what is asked about. Returns 0 or -ENOTCONN, which settings_end() then answers. */
int settings_begin(struct settings_ask *a);

/* Answers. */
void settings_end(struct settings_ask *a);

/* On the channel's worker, which may be late; @worked finds @a->err set where nothing was done. */
void settings_post(struct settings_ask *a, void (*work)(struct job *), void (*worked)(struct settings_ask *));

/* Whether the kernel alone moves the channel's bytes, as far as names tell. */
static inline bool settings_plain(const struct node *node)
{
	return node_is_channel(node) && !node_is_tap(node) && !node->inode->taps;
}
