/* A channel list: the channels that somebody may be told of and the state of the mount, as they were at one moment. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "accounts.h"
#include "channel-stats.h"
#include "hold.h"
#include "rights.h"

struct channel_list_entry {
	struct hold hold;           /* for who makes the report; until channel_list_release() */
	struct channel *channel;    /* as it was when the list was taken; NULL: there was nothing to report */
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
};

/*
 * On the FUSE thread: all but the reports. @number: another one each time. Returns 0, -ENOMEM or -ENOTCONN;
 * channel_list_release() is owed either way, and channel_list_finish() after it.
 */
int channel_list_take(struct channel_list *list, struct context *ctx, const struct rights *r, uint64_t number);

/* On the FUSE thread: drops the holds that nobody has taken. */
void channel_list_release(struct channel_list *list);

/* What .spfs/stats.json holds, see spfsd(8). On any thread. NULL: out of memory. */
json_t *channel_list_json(const struct channel_list *list, const char *mountpoint);

void channel_list_finish(struct channel_list *list);
