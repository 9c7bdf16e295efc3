/*
 * A tally: a channel's counters, its names and who has them open, as they were at one moment. The FUSE thread takes
 * the names, the channel's worker the report, and any thread makes JSON of both.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "survey.h"

struct inode;
struct report;

struct tally_name {
	uint64_t id; /* of the node */
	char *path;  /* from the mount's root; NULL: it has none */
	bool known;  /* @users are */
	struct survey_count users;
};

/* Zero-valid. */
struct tally {
	uint64_t ino;
	struct tally_name origin;
	size_t count;
	struct tally_name *taps; /* oldest first */
	struct report *report;   /* the tally's own; NULL: the daemon has no part in the channel */
};

/* On the FUSE thread: all but the report. Returns 0 or -ENOMEM; tally_finish() is owed either way. */
int tally_take(struct tally *t, const struct survey *survey, const struct inode *inode);

/* What spfs.stats says, see spfsd(8). NULL: out of memory. */
json_t *tally_json(const struct tally *t);

/* The same with numbers that identify the channel and its taps, the settings in force, and the ports. */
json_t *tally_json_full(const struct tally *t);

void tally_finish(struct tally *t);
