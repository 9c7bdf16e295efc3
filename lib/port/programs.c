/*
 * The folder of the programs, and who may write it. What is in it runs as whoever names it, with all that he may: so it is to be
 * root's or the daemon's user's, to write for nobody else, and so is where a link leads, with the folder that this is in.
 */
#include "programs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

#define NAME_LEN_MAX 32

static const char *programs_folder;

void programs_in(const char *folder)
{
	programs_folder = folder;
}

bool programs_may_have(const char *name, size_t len)
{
	if (!programs_folder)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)name[i]) ||
		    !(islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || name[i] == '-'))
			return false;
	return len > 0 && len <= NAME_LEN_MAX;
}

/* ---- whose it is ---- */

static int programs_failed(const char *path, int err, char why[URI_WHY_MAX])
{
	uri_why(why, "%s: %s", path, strerror(-err));
	return err;
}

static int programs_trust(const char *path, struct stat *st, char why[URI_WHY_MAX])
{
	if (stat(path, st) < 0)
		return programs_failed(path, -errno, why);
	if ((st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	uri_why(why, "%s: others than root and who spfsd runs as may write it", path);
	return -EPERM;
}

static int programs_trust_folder(const char *path, char why[URI_WHY_MAX])
{
	struct stat st;
	int err = programs_trust(path, &st, why);

	return err == 0 && !S_ISDIR(st.st_mode) ? programs_failed(path, -ENOTDIR, why) : err;
}

static bool programs_within(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && (!path[len] || path[len] == '/');
}

int programs_check(const char *mountpoint, char why[URI_WHY_MAX])
{
	_cleanup_free_ char *real = NULL;
	bool within;

	if (!programs_folder)
		return 0;
	within = programs_within(programs_folder, mountpoint); /* (what is mounted there now may be dead) */
	if (!within)
		real = realpath(programs_folder, NULL);
	if (!within && !real)
		return errno == ENOENT ? 0 : programs_failed(programs_folder, -errno, why);
	if (within || programs_within(real, mountpoint)) {
		uri_why(why, "%s: programs cannot be within the mount itself", programs_folder);
		return -EINVAL;
	}
	return programs_trust_folder(real, why);
}

/* ---- which there are ---- */

/* Where it really is, @path, which is cut. */
static int programs_trust_file(char *path, char why[URI_WHY_MAX])
{
	char *slash = strrchr(path, '/');
	struct stat st;
	int err = programs_trust(path, &st, why);

	if (err < 0)
		return err;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return -ENOENT;
	slash[slash == path] = '\0';
	return programs_trust_folder(path, why);
}

int programs_look(const char *name, char **path, char why[URI_WHY_MAX])
{
	_cleanup_free_ char *file = NULL, *real = NULL;
	int err;

	if (!programs_may_have(name, strlen(name)))
		return -ENOENT;
	if (asprintf(&file, "%s/" PROGRAMS_PREFIX "%s", programs_folder, name) < 0) {
		file = NULL;
		return programs_failed(name, -ENOMEM, why);
	}
	real = realpath(file, NULL);
	if (!real)
		return errno == ENOENT || errno == ENOTDIR ? -ENOENT : programs_failed(file, -errno, why);
	err = programs_trust_folder(programs_folder, why);
	if (err == 0)
		err = programs_trust_file(real, why);
	if (err == 0 && path) {
		*path = file;
		file = NULL;
	}
	return err;
}

/* There is none such. */
static int programs_refuse(char why[URI_WHY_MAX])
{
	char list[URI_WHY_MAX] = "", unseen[URI_WHY_MAX];
	DIR *folder = opendir(programs_folder);
	struct dirent *entry;
	size_t len = 0;

	while (folder && len < sizeof(list) && (entry = readdir(folder))) {
		const char *name = entry->d_name + sizeof(PROGRAMS_PREFIX) - 1;

		if (!strncmp(entry->d_name, PROGRAMS_PREFIX, sizeof(PROGRAMS_PREFIX) - 1) &&
		    programs_look(name, NULL, unseen) == 0)
			len += (size_t)snprintf(list + len, sizeof(list) - len, " %s:", name);
	}
	if (folder)
		closedir(folder);
	return uri_refuse_kind(why, list);
}

int programs_find(const char *name, char **path, char why[URI_WHY_MAX])
{
	int err = programs_look(name, path, why);

	return err == -ENOENT ? programs_refuse(why) : err;
}
