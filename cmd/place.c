#include "place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mounts.h"

/* Puts the place together of the mount and @path in it. Returns 0 or -ENAMETOOLONG. */
static int place_set(struct place *place, const struct mounts *mounts, const struct mount *m, const char *path)
{
	const struct mount *whole = *m->part ? mounts_whole(mounts, place->dev) : m;
	const char *root = whole ? whole->root : m->root;
	const char *part = whole ? m->part : "";
	int a = snprintf(place->root, sizeof(place->root), "%s", root);
	int b = snprintf(place->inside, sizeof(place->inside), "%s%s", part, path + strlen(m->root));
	int c = snprintf(place->part, sizeof(place->part), "%s", whole ? "" : m->part);

	return a < (int)sizeof(place->root) && b < (int)sizeof(place->inside) && c < (int)sizeof(place->part) ?
		       0 :
		       -ENAMETOOLONG;
}

int place_find(struct place *place, const char *path)
{
	struct mounts mounts = { 0 };
	const struct mount *m;
	char real[PATH_MAX];
	struct stat st;
	int err;

	if (!realpath(path, real) || stat(real, &st) < 0)
		return -errno;
	place->dev = st.st_dev;
	place->ino = st.st_ino;
	place->mode = st.st_mode;
	err = mounts_find(&mounts);
	if (err == 0) {
		m = mounts_of(&mounts, real, st.st_dev);
		err = m ? place_set(place, &mounts, m, real) : -EOPNOTSUPP;
	}
	mounts_free(&mounts);
	return err;
}

const char *place_reason(int err)
{
	switch (err) {
	case -ENOTCONN: /* the mount of a daemon that was killed */
	case -ECONNABORTED:
		return "the daemon has ended";
	case -EOPNOTSUPP:
	case -ENODATA:
		return "not a splice channel";
	case -EXDEV:
		return "there is no .spfs here: a part of a mount alone, where commands work on one channel, or an older "
		       "spfsd";
	default:
		return strerror(-err);
	}
}
