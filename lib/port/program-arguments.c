/*
 * The daemon forks nothing of its own: it starts setpriv(1), which becomes the user, lets go of every capability and of each way to
 * get one, and goes on to prlimit(1), which bounds what the daemon may have raised, and that to the program; before them choom(1)
 * where it is needed. They are of util-linux, which no system is without.
 */
#include "program-arguments.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "kinds.h"
#include "program.h"
#include "uri-address.h"
#include "uri-option.h"

#define CHOOM "/usr/bin/choom"
#define SETPRIV "/usr/bin/setpriv"
#define PRLIMIT "/usr/bin/prlimit"

/* Descriptors that it may have open, and may come to have. */
#define PROGRAM_FILES 1024
#define PROGRAM_FILES_MAX 4096

void program_texts_finish(struct program_texts *list)
{
	while (list->count)
		free(list->of[--list->count]);
}

__attribute__((format(printf, 2, 3))) static void program_texts_add(struct program_texts *list, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	if (list->count == PROGRAM_TEXTS_MAX)
		list->err = -E2BIG;
	if (list->err < 0)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		list->err = -ENOMEM;
	else
		list->of[list->count++] = text;
}

/* ---- what it is told ---- */

/* Those options of the URI that are not the daemon's, as they are meant. Returns 0, or -EINVAL with the reason in @why. */
static int program_add_options(struct program_texts *list, const struct uri *uri, char why[URI_WHY_MAX])
{
	const char *options = strchr(uri->text, '?');
	_cleanup_free_ char *copy = options ? strdup(options + 1) : NULL;
	char *rest = copy, *option;

	if (options && !copy)
		return -ENOMEM;
	while ((option = strsep(&rest, "&"))) {
		size_t len = strcspn(option, "=");
		int err;

		if (uri_option_place(uri->kind, option, len) >= 0)
			continue;
		err = uri_decode(option, why);
		if (err < 0)
			return err;
		program_texts_add(list, "%s", option);
	}
	return 0;
}

/* What is common for who logs in; the daemon has raised its own. Nobody may have more than the daemon was given. */
static void program_add_limits(struct program_texts *list)
{
	struct rlimit own = { .rlim_max = PROGRAM_FILES_MAX };
	rlim_t hard;

	getrlimit(RLIMIT_NOFILE, &own);
	hard = own.rlim_max < PROGRAM_FILES_MAX ? own.rlim_max : PROGRAM_FILES_MAX;
	program_texts_add(list, PRLIMIT);
	program_texts_add(list, "--core=0");
	if (geteuid() == 0) {
		program_texts_add(list, "--nice=0");
		program_texts_add(list, "--rtprio=0");
	}
	program_texts_add(list, "--nofile=%ju:%ju", (uintmax_t)(hard < PROGRAM_FILES ? hard : PROGRAM_FILES),
			  (uintmax_t)hard);
	program_texts_add(list, "--");
}

/* Before it becomes the user, who could take it back: what the daemon may be spared (OOMScoreAdjust=) is its own. */
static void program_add_oom_score(struct program_texts *list)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "re");
	int score = 0;

	if (f && fscanf(f, "%d", &score) != 1)
		score = 0;
	if (f)
		fclose(f);
	if (score >= 0)
		return;
	program_texts_add(list, CHOOM);
	program_texts_add(list, "-n0");
	program_texts_add(list, "--");
}

/* An ordinary user's daemon is that user already, and has no capability. */
static void program_add_rights(struct program_texts *list, const struct rights *r)
{
	program_texts_add(list, SETPRIV);
	program_texts_add(list, "--no-new-privs");
	if (geteuid() == 0) {
		program_texts_add(list, "--reuid=%u", r->uid);
		program_texts_add(list, "--regid=%u", r->gid);
		program_texts_add(list,
				  "--keep-groups"); /* program_inherits(): there may be more than an argument is long */
		program_texts_add(list, "--inh-caps=-all");
		program_texts_add(list, "--ambient-caps=-all");
		program_texts_add(list, "--bounding-set=-all");
	}
	program_texts_add(list, "--");
}

int program_arguments(struct program_texts *list, const struct attempt *a, const char *path, char why[URI_WHY_MAX])
{
	int err;

	program_add_oom_score(list);
	program_add_rights(list, &a->rights);
	program_add_limits(list);
	program_texts_add(list, "%s", path);
	program_texts_add(list, "%s", a->dir == PORT_SOURCE ? "source" : "sink");
	program_texts_add(list, "%s", a->uri.path);
	err = program_add_options(list, &a->uri, why);
	if (err == 0 && list->err == -E2BIG)
		uri_why(why, "too many options");
	return err < 0 ? err : list->err;
}

void program_environment(struct program_texts *list, uid_t uid)
{
	char text[4096];
	struct passwd user, *found = NULL;

	program_texts_add(list, "PATH=/usr/local/bin:/usr/bin:/bin");
	program_texts_add(list, "LANG=C.UTF-8");
	program_texts_add(list, "SPFS_WORDS_FD=%d", PROGRAM_WORDS_FD);
	if (getpwuid_r(uid, &user, text, sizeof(text), &found) != 0 || !found)
		return;
	program_texts_add(list, "HOME=%s", user.pw_dir);
	program_texts_add(list, "USER=%s", user.pw_name);
	program_texts_add(list, "LOGNAME=%s", user.pw_name);
}
