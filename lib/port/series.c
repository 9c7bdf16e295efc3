#include "series.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempt.h"
#include "base.h"
#include "clock.h"
#include "log.h"
#include "open-path.h"

/* Numbers that others have taken are passed over, up to so many. */
#define SERIES_TRIED 1000

/* What strftime(3) may be asked for: in every locale without '/' and blanks other than ' '. */
#define SERIES_CONVERSIONS "aAbBCdeFgGHIjklmMpRsSTuUVwWyYz"

static int series_hex(const char *s, char *byte)
{
	char digits[3] = { s[0], s[0] ? s[1] : '\0', '\0' };
	char *end;

	*byte = (char)strtoul(digits, &end, 16);
	return isdigit((unsigned char)digits[0]) && digits[1] && !*end && *byte ? 0 : -EINVAL;
}

int series_parse(char *path, char why[URI_WHY_MAX])
{
	bool any = false;
	char *out = path;

	for (const char *s = path; *s; s++) {
		char byte = *s;

		if (*s != '%') {
			*out++ = *s;
		} else if (s[1] && (s[1] == '%' || strchr(SERIES_CONVERSIONS, s[1]))) {
			any |= s[1] != '%';
			*out++ = *s++;
			*out++ = *s;
		} else if (series_hex(s + 1, &byte) == 0) {
			if (byte == '%')
				*out++ = byte;
			*out++ = byte;
			s += 2;
		} else {
			uri_why(why,
				"'%.2s' is no part of the time that a name can have (rotate); write '%%' as '%%%%'", s);
			return -EINVAL;
		}
	}
	*out = '\0';
	return any ? 0 :
		     uri_refuse(why, -EINVAL, "option 'rotate': the path needs the time in it, as in %Y%m%d-%H%M%S");
}

/* The name of one. NULL: out of memory, or too long. */
static char *series_name(const char *format, time_t when, unsigned number)
{
	char *name = malloc(PATH_MAX);
	size_t len = 0;
	struct tm tm;

	if (name && localtime_r(&when, &tm))
		len = strftime(name, PATH_MAX, format, &tm);
	if (len && number)
		len += (size_t)snprintf(name + len, PATH_MAX - len, ".%u", number);
	if (len && len < PATH_MAX)
		return name;
	free(name);
	return NULL;
}

/*
 * The number behind the name of this moment, for what follows: after that of the present file, where that has the same name. So
 * numbers only grow, though files are removed.
 */
static unsigned series_next_number(const struct attempt *a, const char *format, time_t when)
{
	_cleanup_free_ char *name = series_name(format, when, 0);
	_cleanup_free_ char *present = NULL;

	if (a->after.follows)
		present = series_name(format, a->after.present.when, 0);
	return name && present && !strcmp(name, present) ? a->after.present.number + 1 : 0;
}

/* ---- when ---- */

static time_t series_offset(time_t when)
{
	struct tm tm = { 0 };

	localtime_r(&when, &tm);
	return tm.tm_gmtoff;
}

time_t series_next(uint64_t interval, time_t now)
{
	time_t before = series_offset(now);
	time_t next = now + (time_t)(interval - (uint64_t)(now + before) % interval);
	time_t after = series_offset(next), shifted = next + before - after; /* (the clocks are changed in between) */

	return (uint64_t)(next + after) % interval && shifted > now && series_offset(shifted) == after ? shifted : next;
}

int series_open(struct attempt *a, int flags, mode_t mode, bool goes_on, struct stat *st)
{
	_cleanup_free_ char *format = a->uri.path;
	time_t when = clock_day();
	unsigned first = series_next_number(a, format, when);
	int fd = -EEXIST;

	a->uri.path = NULL;
	for (unsigned i = first; fd == -EEXIST && i < first + SERIES_TRIED; i++) {
		free(a->uri.path);
		a->uri.path = series_name(format, when, i);
		if (!a->uri.path)
			return attempt_failed(a, "name", -ENAMETOOLONG);
		fd = open_path(a, goes_on ? flags : flags | O_EXCL, mode, st);
		a->opened.file.when = when;
		a->opened.file.number = i;
	}
	return fd;
}

void series_remove(const struct attempt *a, const char *format, const struct series_file *file)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	_cleanup_free_ char *path = series_name(format, file->when, file->number);
	char *name = path ? strrchr(path, '/') : NULL;
	_cleanup_fd_ int folder = -1;
	struct stat st;

	if (!name)
		return;
	*name++ = '\0';
	folder = (int)syscall(SYS_openat2, AT_FDCWD, *path ? path : "/", &how, sizeof(how));
	if (folder < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		log_user_info(a->rights.uid, "%s/%s is gone already: %s", path, name, strerror(errno));
	} else if (st.st_dev != file->dev || st.st_ino != file->ino) {
		log_user_info(a->rights.uid, "%s/%s is another file by now, and stays", path, name);
	} else if (unlinkat(folder, name, 0) < 0) {
		log_user_warn(a->rights.uid, "remove %s/%s: %s", path, name, strerror(errno));
	}
}
