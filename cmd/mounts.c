#include "mounts.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mounts_add(struct mounts *mounts, const char *root)
{
	char **roots = realloc(mounts->roots, (mounts->count + 1) * sizeof(*roots));

	if (!roots)
		return ENOMEM;
	mounts->roots = roots;
	roots[mounts->count] = strdup(root);
	if (!roots[mounts->count])
		return ENOMEM;
	mounts->count++;
	return 0;
}

int mounts_find(struct mounts *mounts)
{
	FILE *file = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int err = 0;

	if (!file)
		return errno;
	while (!err && (entry = getmntent(file)))
		if (!strcmp(entry->mnt_type, "fuse.spfs"))
			err = mounts_add(mounts, entry->mnt_dir);
	endmntent(file);
	return err;
}

bool mounts_have(const struct mounts *mounts, const char *root)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (!strcmp(mounts->roots[i], root))
			return true;
	return false;
}

void mounts_free(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		free(mounts->roots[i]);
	free(mounts->roots);
	*mounts = (struct mounts){ 0 };
}
