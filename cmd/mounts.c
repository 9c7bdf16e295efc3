/*
 * Nothing here asks a daemon but mounts_whole(), which looks at the mount point: a mount whose daemon hangs is found
 * all the same. mountinfo tells what part of a file system a mount shows, which mntent(3) does not.
 */
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char type[] = "fuse.spfs";

static void mounts_free_one(struct mount *m)
{
	free(m->root);
	free(m->part);
}

int mounts_add(struct mounts *mounts, const struct mount *mount)
{
	struct mount copy = { .root = strdup(mount->root), .part = strdup(mount->part), .dev = mount->dev };
	struct mount *all = realloc(mounts->all, (mounts->count + 1) * sizeof(*all));

	if (all)
		mounts->all = all;
	if (!all || !copy.root || !copy.part) {
		mounts_free_one(&copy);
		return -ENOMEM;
	}
	all[mounts->count++] = copy;
	return 0;
}

/* Spaces and their like are written \ooo. In place. */
static void mounts_unescape(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	*to = '\0';
}

/* "36 35 98:0 /part /root rw,noatime master:1 - fuse.spfs spfs rw": of any number of fields before the dash. */
static int mounts_add_line(struct mounts *mounts, char *line)
{
	struct mount m = { 0 };
	unsigned major, minor;
	char *rest = strstr(line, " - ");
	int err = 0;

	if (!rest || strncmp(rest + 3, type, strlen(type)) || rest[3 + strlen(type)] != ' ')
		return 0;
	if (sscanf(line, "%*u %*u %u:%u %ms %ms", &major, &minor, &m.part, &m.root) == 4) {
		mounts_unescape(m.root);
		mounts_unescape(m.part);
		m.dev = makedev(major, minor);
		if (!strcmp(m.part, "/"))
			*m.part = '\0';
		err = mounts_add(mounts, &m);
	}
	mounts_free_one(&m);
	return err;
}

int mounts_find(struct mounts *mounts)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	if (!file)
		return -errno;
	while (err == 0 && getline(&line, &room, file) >= 0)
		err = mounts_add_line(mounts, line);
	if (err == 0 && ferror(file))
		err = -EIO;
	free(line);
	fclose(file);
	return err;
}

bool mounts_have(const struct mounts *mounts, const char *root)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (!strcmp(mounts->all[i].root, root))
			return true;
	return false;
}

const struct mount *mounts_of(const struct mounts *mounts, const char *path, dev_t dev)
{
	const struct mount *best = NULL;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *m = &mounts->all[i];
		size_t n = strlen(m->root);

		if (m->dev == dev && !strncmp(path, m->root, n) && (!path[n] || path[n] == '/') &&
		    (!best || n >= strlen(best->root)))
			best = m;
	}
	return best;
}

const struct mount *mounts_whole(const struct mounts *mounts, dev_t dev)
{
	struct stat st;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *m = &mounts->all[i];

		if (m->dev == dev && !*m->part && stat(m->root, &st) == 0 && st.st_dev == dev)
			return m;
	}
	return NULL;
}

void mounts_free(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		mounts_free_one(&mounts->all[i]);
	free(mounts->all);
	*mounts = (struct mounts){ 0 };
}
