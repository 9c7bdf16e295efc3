/*
 * A channel list: the channels that somebody may be told of, and the state of the mount.
 *
 * Each channel that is there from the list's beginning to its end, and may be told of, is in it once, with its names as they
 * were at one moment between the two (but a channel of hundreds of names: each name so); what comes or goes meanwhile may be
 * in it or not.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "accounts.h"
#include "channel-stats.h"
#include "hold.h"
#include "rights.h"

struct channel_list_entry {
	struct hold hold;           /* for who makes the report, who takes it; none: nobody can be asked for one */
	struct channel *channel;    /* of the hold; NULL: there was nothing to report */
	struct channel_stats stats; /* its report is to be made on the channel's worker */
};

/* Zero-valid. */
struct channel_list {
	struct channel_list_entry *entries;
	size_t count;
	size_t room;
	struct account_report *users;
	size_t user_count;
	size_t workers;
	double uptime; /* seconds */

	/* Private, the FUSE thread's: */
	struct context *ctx;
	const struct rights *rights;
	uint64_t number;
	uint64_t last, upto;  /* channels: the one that was looked at last, and the last of all */
	bool taking, reached; /* the one behind the entries: it is under way, who asks may come to one of its names */
};

/*
 * On the FUSE thread. @r: who asks, kept until channel_list_end(). @number: another one each time. Returns 0 or -ENOMEM;
 * channel_list_end() is owed either way, and channel_list_finish() after it.
 */
int channel_list_begin(struct channel_list *list, struct context *ctx, const struct rights *r, uint64_t number);

/*
 * Looks at the next name or channel. Returns how many things that were (turns.h), 0: it is through, or -ENOMEM, -ENOTCONN.
 * *added: the entry that it has added, good until the next step, or NULL.
 */
int channel_list_step(struct channel_list *list, struct channel_list_entry **added);

/* No step follows. */
void channel_list_end(struct channel_list *list);

/* What .spfs/stats.json holds, see spfsd(8). On any thread. NULL: out of memory. */
json_t *channel_list_json(const struct channel_list *list, const char *mountpoint);

/* On any thread. */
void channel_list_finish(struct channel_list *list);
