/*
 * The rows of spfs top: channels with their taps, sources and sinks, made of samples, then chosen and ordered as
 * the view says.
 */
#pragma once

#include <stdbool.h>

#include "samples.h"
#include "state.h"

enum top_column {
	TOP_NAME,
	TOP_IN,
	TOP_OUT,
	TOP_FILL,
	TOP_WAITING,
	TOP_LOST,
	TOP_DROPS,
	TOP_READERS,
	TOP_WRITERS,
	TOP_PEERS,
	TOP_STATE,
	TOP_COLUMNS,
};

enum top_kind { TOP_CHANNEL, TOP_TAP, TOP_SOURCE, TOP_SINK };

struct top_row {
	enum top_kind kind;
	const struct top_row *parent; /* NULL: a channel */
	unsigned level;               /* below its channel */
	size_t index;                 /* as they were found */
	const struct sample *sample;
	char *id;   /* the same in every refresh */
	char *name; /* printable; with the mount point where there are several */
	char *leaf; /* printable, below its parent */
	char state[STATE_TEXT_MAX];
	bool shown;
	double value[TOP_COLUMNS]; /* of the numbers; below 0: not known */
};

struct top_view {
	enum top_column sort;
	bool reverse;
	bool flat;       /* else a tree */
	char filter[64]; /* shows what has this in its name; empty: everything */
};

struct top_rows {
	struct top_row **all; /* as they were found */
	size_t count;
	struct top_row **shown; /* the first @visible ones, in order */
	size_t visible;
	bool alone; /* all are of one mount */
};

/* Makes rows of @list, which must stay. Returns 0 or -ENOMEM, then with what there was room for. */
int top_rows_make(struct top_rows *rows, const struct samples *list);

/* Chooses and orders @rows->shown. */
void top_rows_arrange(struct top_rows *rows, const struct top_view *view);

void top_rows_free(struct top_rows *rows);

/* Adds to a sum that is known (not below 0) where one of its parts is. */
void top_rows_sum(double *total, double part);
