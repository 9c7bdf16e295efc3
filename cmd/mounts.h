/* The mounts of spfs that there are, whether or not their daemons still live. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mounts {
	char **roots; /* mount points */
	size_t count;
};

/* Adds what /proc/self/mounts has. Returns 0 or a positive errno. */
int mounts_find(struct mounts *mounts);

/* @root is copied. Returns 0 or ENOMEM. */
int mounts_add(struct mounts *mounts, const char *root);

bool mounts_have(const struct mounts *mounts, const char *root);

void mounts_free(struct mounts *mounts);
