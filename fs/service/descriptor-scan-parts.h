/* What the two files of a scan share. */
#pragma once

#include "descriptor-scan.h"

#include <stdatomic.h>

#include "context.h"
#include "descriptor-list.h"
#include "errand.h"
#include "turns.h"

enum descriptor_scan_state {
	DESCRIPTOR_SCAN_IDLE,
	DESCRIPTOR_SCAN_READING,
	DESCRIPTOR_SCAN_FAILING, /* none could be begun */
	DESCRIPTOR_SCAN_MATCHING,
	DESCRIPTOR_SCAN_TELLING,
};

TAILQ_HEAD(descriptor_scan_waiters, descriptor_scan_waiter);

struct descriptor_scan {
	struct context *ctx;
	enum descriptor_scan_state state;
	struct descriptor_look *look; /* while READING */
	struct loop_task failure;
	struct turns turns; /* MATCHING and TELLING */
	bool blind;
	uint64_t finished;                      /* when, in nanoseconds; 0: never */
	uint64_t number;                        /* of the scan that is through */
	struct descriptor_list seen;            /* by it */
	struct descriptor_list found;           /* by the one that is matched */
	size_t at;                              /* those before are */
	struct descriptor_scan_waiters waiters; /* for the scan that is under way, or the next */
	struct descriptor_scan_waiters later;   /* for the one after it */
	struct descriptor_scan_waiters ready;   /* to be told */

	atomic_bool asked;
	struct loop_task task;
	struct loop_io timer;
};

/* descriptor-scan-match.c: matches the next of what was found; a step of turns.h. */
unsigned descriptor_scan_match_next(struct turns *t);
