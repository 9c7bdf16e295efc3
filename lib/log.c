#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static FILE *log_file;
static const char *log_ident = "spfs";
static int log_copy = -1;
static int log_level = LOG_INFO;

int log_open(const char *ident, int copy, const char *path)
{
	if (path) {
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);

		if (fd < 0)
			return -errno;
		log_file = fdopen(fd, "a");
		if (!log_file) {
			close(fd);
			return -ENOMEM;
		}
		setvbuf(log_file, NULL, _IOLBF, 0);
	}
	log_ident = ident;
	log_copy = copy;
	openlog(ident, LOG_PID, LOG_DAEMON);
	return 0;
}

void log_set_level(int level)
{
	log_level = level;
}

/* One line to @to, whole, with @before in front. */
static void put(FILE *to, const char *before, const char *fmt, va_list ap)
{
	flockfile(to);
	fputs(before, to);
	vfprintf(to, fmt, ap);
	fputc('\n', to);
	funlockfile(to);
}

void log_vline(int priority, const char *fmt, va_list ap)
{
	char stamp[64];
	struct tm tm;
	time_t now;
	va_list copy;

	if (priority > log_level)
		return;
	if (priority <= log_copy) {
		snprintf(stamp, sizeof(stamp), "%s: ", log_ident);
		va_copy(copy, ap);
		put(stderr, stamp, fmt, copy);
		va_end(copy);
	}
	if (!log_file) {
		vsyslog(priority, fmt, ap);
		return;
	}
	now = time(NULL);
	strftime(stamp, sizeof(stamp), "%F %T ", localtime_r(&now, &tm));
	put(log_file, stamp, fmt, ap);
}

void log_line(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(priority, fmt, ap);
	va_end(ap);
}
