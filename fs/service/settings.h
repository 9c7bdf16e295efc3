/* Settings (setting.h) of channels, taps and the mount, as they are asked for: who may, and on their way to workers. */
#pragma once

#include "packets.h"
#include "rights.h"
#include "ring-resize.h"
#include "owner-limits.h"

#define SETTINGS_WHY_MAX (SETTING_TEXT_MAX + 32)

/* A question on its way to the channel's worker and back. Zero but for the first part. */
struct settings_ask {
	/* Set before it is asked: */
	struct context *ctx;
	struct node *node; /* the mount's root, or a name of a channel; kept until done() */
	uid_t user;        /* who asks, for the log */
	/* On the FUSE thread, exactly once, perhaps at once. May free the question. */
	void (*done)(struct settings_ask *a);
	/* A worker is late: whoever waits is to be told ETIMEDOUT; done() follows, some day. */
	void (*late)(struct settings_ask *a);

	/* What to set, by settings_add(); or the answer: what it has. */
	bool has[SETTINGS];
	uint64_t value[SETTINGS];
	char *prologue;             /* its bytes, where its value says that they are given; until done() */
	int err;                    /* 0 or a negative errno */
	char why[SETTINGS_WHY_MAX]; /* never empty where @err is set */
	bool size_unknown;          /* who has the ring open keeps it locked */

	/* Private: */
	struct job job;
	void (*worked)(struct settings_ask *a);
	uint64_t until; /* all of it is to be answered (job.h) */
	struct hold hold;
	struct ring_resize ring;
	struct packets_change packets;
	uint64_t tap; /* 0: the channel */
};

/*
 * The limits of what @r makes on the channel of @inode: the defaults, on their account. Who may not write the channel
 * cannot hold its writer back. Returns 0 or -ENOMEM.
 */
int settings_limits(struct context *ctx, const struct rights *r, const struct inode *inode, struct limits *limits);

/* Whether @node has the setting. */
bool settings_has(const struct context *ctx, const struct node *node, enum setting_key key);

/*
 * Adds one to what is to be set: @len bytes of @text, and a zero byte behind them. Returns 0, or a negative errno with the
 * reason in @a->why, and nothing is to be set: -EINVAL, -ERANGE, -ENOMEM.
 */
int settings_add(struct settings_ask *a, const char *name, const char *text, size_t len);

/* Adds a prologue by value, whatever its bytes are. Returns as settings_add(). */
int settings_add_prologue(struct settings_ask *a, const char *bytes, size_t len);

/*
 * Sets all that was added, or nothing where @r do not suffice: -EACCES; NULL: the configuration says it, which may. What the worker refuses (see channel_set())
 * ends it, and what came before stays set. Failures are logged.
 */
void settings_set(struct settings_ask *a, const struct rights *r);

/*
 * What waits in the tap of that name goes, or what the channel replays (channel_flush()), where @r would suffice to set it.
 * Failures are logged.
 */
void settings_flush(struct settings_ask *a, const struct rights *r);

/* All that the node has. */
void settings_get(struct settings_ask *a);

/* Says why nothing was set, in the log. */
void settings_log(const struct settings_ask *a);
