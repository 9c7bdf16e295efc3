#include "gids.h"

#include <stdlib.h>

static int gid_compare(const void *a, const void *b)
{
	gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return (x > y) - (x < y);
}

void gids_sort(gid_t *gids, size_t count)
{
	size_t i = 1;

	while (i < count && gids[i - 1] <= gids[i])
		i++;
	if (i < count)
		qsort(gids, count, sizeof(*gids), gid_compare);
}

size_t gids_place(const gid_t *gids, size_t count, gid_t gid)
{
	size_t from = 0;

	while (from < count) {
		size_t middle = from + (count - from) / 2;

		if (gids[middle] < gid)
			from = middle + 1;
		else
			count = middle;
	}
	return from;
}

bool gids_have(const gid_t *gids, size_t count, gid_t gid)
{
	size_t i = gids_place(gids, count, gid);

	return i < count && gids[i] == gid;
}
