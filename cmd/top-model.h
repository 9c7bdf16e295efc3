/* What spfs top shows: samples of the mounts, one refresh after the other, and the rows of the latest. */
#pragma once

#include <stdint.h>

#include "mounts.h"
#include "top-rows.h"

struct top_model {
	char **names; /* mounts, folders or channels; none: every mount */
	int count;
	struct samples samples;
	struct mounts seen; /* every mount that there ever was, where no names are given */
	struct top_rows rows;
	struct top_view view;
	uint64_t at;    /* of the latest refresh, on clock_nsec() */
	char note[256]; /* printable: what could not be looked at, and why; else the mount */
	size_t missing; /* so many */
};

/* Looks again. Returns 0 or -ENOMEM. */
int top_model_refresh(struct top_model *m);

/* After a change of the view. */
void top_model_arrange(struct top_model *m);

/* Channels, taps and ports; bytes a second into the channels and out of them (below 0: not known), and lost. */
struct top_totals {
	size_t channels, taps, ports;
	double in, out, lost;
};

struct top_totals top_model_totals(const struct top_model *m);

void top_model_free(struct top_model *m);
