#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static FILE *log_file;
static int log_stderr;
static int log_level = LOG_INFO;

int log_open(const char *ident, int foreground, const char *path)
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
	log_stderr = foreground;
	openlog(ident, LOG_PID | (foreground ? LOG_PERROR : 0), LOG_DAEMON);
	return 0;
}

void log_set_level(int level)
{
	log_level = level;
}

void log_vline(int priority, const char *fmt, va_list ap)
{
	char stamp[32];
	struct tm tm;
	time_t now;

	if (priority > log_level)
		return;
	if (!log_file) {
		vsyslog(priority, fmt, ap);
		return;
	}
	if (log_stderr) {
		va_list copy;

		va_copy(copy, ap);
		vfprintf(stderr, fmt, copy);
		fputc('\n', stderr);
		va_end(copy);
	}
	now = time(NULL);
	strftime(stamp, sizeof(stamp), "%F %T", localtime_r(&now, &tm));
	flockfile(log_file);
	fprintf(log_file, "%s ", stamp);
	vfprintf(log_file, fmt, ap);
	if (!*fmt || fmt[strlen(fmt) - 1] != '\n')
		fputc('\n', log_file);
	funlockfile(log_file);
}

void log_line(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(priority, fmt, ap);
	va_end(ap);
}
