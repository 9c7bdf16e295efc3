/* A place: where in a mount a path is. */
#pragma once

#include <limits.h>

struct place {
	char root[PATH_MAX]; /* the mount point */
	char path[PATH_MAX]; /* absolute, without links */
};

/* Returns 0 or a positive errno, for place_reason(). */
int place_of(struct place *place, const char *path);

/* The path from the mount's root: "/a/b", or "" for the root. */
const char *place_inside(const struct place *place);

/* Why a name, or an attribute of it, is not to be had, for people: @err is a positive errno. */
const char *place_reason(int err);
