/* A roll: the channels that somebody may be told of and the state of the mount, as they were at one moment. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "rights.h"
#include "tally.h"

struct channel;
struct server;

struct roll_entry {
	struct inode *inode;     /* kept until roll_release() */
	struct channel *channel; /* NULL: there is nothing to report */
	struct tally tally;      /* its report is to be made on the channel's worker */
};

struct roll_user {
	uid_t uid;
	uint64_t used, limit;
};

/* Zero-valid. */
struct roll {
	struct roll_entry *entries;
	size_t count;
	size_t room;
	struct roll_user *users;
	size_t user_count;
	size_t workers;
	double uptime; /* seconds */
};

/*
 * On the FUSE thread: all but the reports. @number: another one each time. Returns 0 or -ENOMEM; roll_release() is
 * owed either way, and roll_finish() after it.
 */
int roll_take(struct roll *roll, struct server *s, const struct rights *r, uint64_t number);

/* On the FUSE thread, once the reports are there. */
void roll_release(struct roll *roll, struct server *s);

/* What .spfs/stats.json holds, see spfsd(8). On any thread. NULL: out of memory. */
json_t *roll_json(const struct roll *roll, const char *mountpoint);

void roll_finish(struct roll *roll);
