/* Lists of groups, in ascending order: a user may be in 65536, and is asked for them again and again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Puts them in order; no more than a look where they are, as the kernel tells them. */
void gids_sort(gid_t *gids, size_t count);

/* Where @gid is, or would be: behind so many that are less. */
size_t gids_place(const gid_t *gids, size_t count, gid_t gid);

/* Whether @gid is among them. */
bool gids_have(const gid_t *gids, size_t count, gid_t gid);
