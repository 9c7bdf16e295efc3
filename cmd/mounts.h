/*
 * The mounts of spfs that there are, whether or not their daemons still live, as /proc/self/mountinfo has them
 * (proc(5)). One file system may be mounted several times, and a mount may show a part of it alone: mount --bind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mount {
	char *root; /* the mount point */
	char *part; /* the folder of the file system that is there: "/a/b", "" for all of it */
	dev_t dev;  /* st_dev of what is in it */
};

struct mounts {
	struct mount *all; /* the later ones cover the earlier */
	size_t count;
};

/* Adds what there is. Returns 0 or a negative errno; mounts_free() is owed either way. */
int mounts_find(struct mounts *mounts);

/* Adds a copy. Returns 0 or -ENOMEM. */
int mounts_add(struct mounts *mounts, const struct mount *mount);

bool mounts_have(const struct mounts *mounts, const char *root);

/* The one that shows @path, an absolute path without links whose st_dev is @dev; NULL: none of spfs does. */
const struct mount *mounts_of(const struct mounts *mounts, const char *path, dev_t dev);

/* One that shows the whole of the file system @dev, and is not covered; NULL: there is none. */
const struct mount *mounts_whole(const struct mounts *mounts, dev_t dev);

void mounts_free(struct mounts *mounts);
