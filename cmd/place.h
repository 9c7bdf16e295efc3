/* A place: where in which mount of spfs a path is. */
#pragma once

#include <limits.h>
#include <sys/types.h>

struct place {
	char root[PATH_MAX];   /* the mount point, with .spfs below it wherever one is to be seen */
	char inside[PATH_MAX]; /* from there: "/a/b", or "" for the root */
	char part[PATH_MAX];   /* "": @root shows the whole; else where in the mount it is, "/sub" */
	dev_t dev;
	ino_t ino;
	mode_t mode;
};

/*
 * Looks the path up and follows links. In a mount that shows but a part, the place is the one in a mount of the whole
 * where there is one. Returns 0, -EOPNOTSUPP where the path is in no mount of spfs, or what looking up may fail with:
 * -ENOTCONN where the daemon has ended.
 */
int place_find(struct place *place, const char *path);

/* Why a name, or what is told of it, is not to be had, for people: @err is a negative errno. */
const char *place_reason(int err);
