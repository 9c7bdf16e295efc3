#include "configure.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base.h"

static unsigned configure_default_workers(void)
{
	int cpus = get_nprocs();

	return cpus < 1 ? 1 : cpus > 4 ? 4 : (unsigned)cpus;
}

/* From "/", which the daemon changes to. NULL: out of memory. */
char *configure_absolute(const char *path)
{
	_cleanup_free_ char *here = NULL;
	char *full = NULL;

	if (*path == '/')
		return strdup(path);
	here = getcwd(NULL, 0);
	return here && asprintf(&full, "%s/%s", here, path) >= 0 ? full : NULL;
}

static int configure_read(const char *file, struct config **config)
{
	struct lines mistakes = { 0 };
	int err = config_read(file, config, &mistakes);

	for (size_t i = 0; i < mistakes.count; i++)
		fprintf(stderr, "%s\n", mistakes.line[i]);
	if (err < 0 && err != -EINVAL)
		fprintf(stderr, "spfsd: %s: %s\n", file, strerror(-err));
	lines_finish(&mistakes);
	return err < 0 ? -1 : 0;
}

int configure_check(const char *file)
{
	struct config *config = NULL;

	if (!file)
		file = CONFIG_FILE;
	if (configure_read(file, &config) < 0)
		return -1;
	printf("%s: ok\n", file);
	config_unref(config);
	return 0;
}

/* Root's file need not be for other users, who mount for themselves. */
static bool configure_default_is_ours(void)
{
	if (access(CONFIG_FILE, R_OK) == 0)
		return true;
	if (errno == EACCES)
		fprintf(stderr, "spfsd: %s is not for this user, and not used\n", CONFIG_FILE);
	return errno != ENOENT && errno != ENOTDIR && errno != EACCES;
}

static int configure_replace(char **value, const char *by)
{
	char *copy = configure_absolute(by);

	if (!copy)
		return -1;
	free(*value);
	*value = copy;
	return 0;
}

/* ---- the root folder ---- */

static int configure_say(struct config *c, const char *option, const char *key, const char *value)
{
	_cleanup_free_ char *given = NULL;
	struct lines mistakes = { 0 };
	int err;

	if (!value)
		return 0;
	err = asprintf(&given, "spfsd: -o %s=%s", option, value) < 0 ? -ENOMEM : 0;
	if (err == 0)
		err = config_say(c, given, key, value, &mistakes);
	for (size_t i = 0; i < mistakes.count; i++)
		fprintf(stderr, "%s\n", mistakes.line[i]);
	lines_finish(&mistakes);
	return err;
}

static int configure_umask(struct config *c, const char *value)
{
	size_t n = strlen(value);

	if (n < 1 || n > 4 || strspn(value, "01234567") != n || strtoul(value, NULL, 8) > 0777) {
		fprintf(stderr, "spfsd: -o umask=%s: '%s' is not an octal number within 0777\n", value, value);
		return -EINVAL;
	}
	c->mode = 0777 & ~(mode_t)strtoul(value, NULL, 8);
	return 0;
}

static bool configure_is_own_group(gid_t gid)
{
	gid_t groups[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, groups);

	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return gid == getegid();
}

/* As with chown(2): only root gives anything to others. */
static int configure_check_root(const struct config *c)
{
	if (geteuid() == 0)
		return 0;
	if (c->owner != (uid_t)-1 && c->owner != geteuid()) {
		fprintf(stderr, "spfsd: user %u cannot be the folder's owner: only root may say another than himself\n",
			c->owner);
		return -EPERM;
	}
	if (c->group != (gid_t)-1 && !configure_is_own_group(c->group)) {
		fprintf(stderr, "spfsd: group %u cannot be the folder's: only root may say one that he is not in\n",
			c->group);
		return -EPERM;
	}
	return 0;
}

static int configure_root(const struct configure *line, struct config *c)
{
	int err = line->mode && line->umask ? -EINVAL : 0;

	if (err < 0)
		fprintf(stderr, "spfsd: -o mode=%s and umask=%s say the same: one of them, please\n", line->mode,
			line->umask);
	if (err == 0)
		err = configure_say(c, "uid", "owner", line->uid);
	if (err == 0)
		err = configure_say(c, "gid", "group", line->gid);
	if (err == 0)
		err = configure_say(c, "mode", "mode", line->mode);
	if (err == 0 && line->umask)
		err = configure_umask(c, line->umask);
	return err < 0 ? err : configure_check_root(c);
}

int configure(const struct configure *line, struct config **out)
{
	const char *path = line->file ? line->file : configure_default_is_ours() ? CONFIG_FILE : NULL;
	_cleanup_free_ char *file = path ? configure_absolute(path) : NULL;
	struct config *c = path ? NULL : config_create();

	if (path ? !file || configure_read(file, &c) < 0 : !c)
		return -1;
	if ((line->point && configure_replace(&c->point, line->point) < 0) ||
	    (line->log && configure_replace(&c->log, line->log) < 0) || configure_root(line, c) < 0) {
		config_unref(c);
		return -1;
	}
	if (line->workers || !c->workers)
		c->workers = line->workers ? line->workers : configure_default_workers();
	if (line->allow_other >= 0 || c->allow_other < 0)
		c->allow_other = line->allow_other >= 0 ? line->allow_other : geteuid() == 0;
	*out = c;
	return 0;
}
