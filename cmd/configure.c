#include "configure.h"

#include <errno.h>
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
static char *configure_absolute(const char *path)
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

int configure(const struct configure *line, struct config **out)
{
	const char *path = line->file ? line->file : configure_default_is_ours() ? CONFIG_FILE : NULL;
	_cleanup_free_ char *file = path ? configure_absolute(path) : NULL;
	struct config *c = path ? NULL : config_create();

	if (path ? !file || configure_read(file, &c) < 0 : !c)
		return -1;
	if ((line->point && configure_replace(&c->point, line->point) < 0) ||
	    (line->log && configure_replace(&c->log, line->log) < 0)) {
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
