/*
 * What a command is told to work on: a channel, a tap or a mount, and the daemon that has it. What fails has been
 * complained of when a function here returns.
 */
#pragma once

#include <jansson.h>

#include "place.h"

enum target_kind { TARGET_CHANNEL, TARGET_MOUNT };

struct target {
	const char *what; /* what complaints are of: at first the path as it was given */
	struct place place;
	int control; /* the connection; kept until target_close() */
};

/*
 * Finds where @path is and connects to the daemon there. @kind: what is to be said where it is nothing of spfs.
 * Returns 0 or -1.
 */
int target_open(struct target *t, const char *path, enum target_kind kind);

/* A request @op for what the target names, for the caller to complete; NULL where it is no text. */
json_t *target_request(const struct target *t, const char *op);

/* control_ask(): takes @request. The answer is the caller's; NULL where the daemon could not be asked or refuses. */
json_t *target_ask(struct target *t, json_t *request, int pass);

void target_close(struct target *t);
