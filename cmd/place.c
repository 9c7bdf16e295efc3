#include "place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The mount point is as far up as the device is the same. */
int place_of(struct place *place, const char *path)
{
	char *root = place->root;
	struct stat st, up;
	char *slash;

	if (!realpath(path, place->path) || stat(place->path, &st) < 0)
		return errno;
	strcpy(root, place->path);
	while ((slash = strrchr(root, '/'))) {
		char saved[2] = { slash[0], slash[1] };

		slash[slash == root] = '\0';
		if (stat(root, &up) < 0 || up.st_dev != st.st_dev) {
			memcpy(slash, saved, sizeof(saved));
			return 0;
		}
		if (slash == root)
			return 0;
	}
	return ENOENT;
}

const char *place_inside(const struct place *place)
{
	return place->path + strlen(place->root);
}

const char *place_reason(int err)
{
	switch (err) {
	case ENOTCONN: /* the mount of a daemon that was killed */
	case ECONNABORTED:
		return "the daemon has ended";
	case EOPNOTSUPP:
		return "not a splice channel";
	default:
		return strerror(err);
	}
}
