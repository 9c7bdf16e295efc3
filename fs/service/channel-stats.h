/*
 * Channel stats: a channel's counters, its names and who has them open, as they were at one moment. The FUSE thread takes
 * the names, the channel's worker the report, and any thread makes JSON of both.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "descriptor-scan.h"

struct hold;
struct inode;
struct node;
struct report;

struct channel_stats_name {
	uint64_t id; /* of the node */
	char *path;  /* from the mount's root; NULL: it has none */
	bool known;  /* @users are */
	struct descriptor_scan_count users;
};

/* Zero-valid. */
struct channel_stats {
	uint64_t ino;
	bool read_by_taps; /* as the inode's */
	struct channel_stats_name origin;
	size_t count;
	size_t room;
	struct channel_stats_name *taps; /* oldest first */
	struct report *report;           /* the stats's own; NULL: the daemon has no part in the channel, or @stands */
	char *stands;                    /* why there is no report, in words; NULL: there is one, or none to be made */
	uint64_t last;                   /* the name that was taken last */
};

/* As JSON a tap has more bytes than that, whatever it is called. */
#define CHANNEL_STATS_TAP_MIN 100

/*
 * On the FUSE thread: begins with the channel that @hold is of. Returns 0 or -ENOMEM; channel_stats_finish() is owed either
 * way, here as below.
 */
int channel_stats_begin(struct channel_stats *t, const struct hold *hold);

/*
 * Takes the next of its names, the oldest first: *taken, NULL if it is not to be seen. Returns how many things it has
 * looked at (turns.h), 0: there is no further one, or -ENOMEM.
 */
int channel_stats_step(struct channel_stats *t, const struct descriptor_scan *scan, const struct inode *inode,
		       const struct node **taken);

/* All but the report at once. Returns 0 or -ENOMEM. */
int channel_stats_take(struct channel_stats *t, const struct descriptor_scan *scan, const struct hold *hold);

/* What spfs.stats says, see spfsd(8). NULL: out of memory. */
json_t *channel_stats_json(const struct channel_stats *t);

/* The same with numbers that identify the channel and its taps, the settings in force, and the ports. */
json_t *channel_stats_json_full(const struct channel_stats *t);

void channel_stats_finish(struct channel_stats *t);
