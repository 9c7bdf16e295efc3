/*
 * By write(2), and not by stdio: whoever waits there would hold a lock that the end of the process wants. No memory is
 * asked for, either.
 */
#include "log-output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

/* Besides the line: who says it or when, and the newline. */
#define BESIDE 64

/* A syslog stamps what comes with its own time, so a line that has waited for so long, in seconds, says its own. */
#define LATE 2

static int log_file = -1;
static bool log_file_torn, log_error_torn; /* what was last written is a part of a line */
static const char *log_ident = "spfs";

int log_output_open(const char *ident, const char *path)
{
	if (path) {
		log_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
		if (log_file < 0)
			return -errno;
	}
	log_ident = ident;
	openlog(ident, LOG_PID, LOG_DAEMON);
	return 0;
}

/* One line, whole, with @before in front; one that is @torn ends first. Returns 0 or a negative errno. */
static int log_output_put(int fd, bool *torn, const char *before, const char *line)
{
	char text[1 + LOG_LINE_MAX + BESIDE];
	int len = snprintf(text, sizeof(text), "%s%s%s\n", *torn ? "\n" : "", before, line);
	const char *at = text;

	while (len > 0) {
		ssize_t n = write(fd, at, (size_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (int)n;
		*torn = at[-1] != '\n';
	}
	return 0;
}

static void log_output_stamp(char *stamp, size_t size, const char *format, time_t when)
{
	struct tm tm;

	if (!strftime(stamp, size, format, localtime_r(&when, &tm)))
		*stamp = '\0';
}

int log_output_write(int priority, time_t when, const char *line)
{
	char stamp[BESIDE - 1] = "";

	if (log_file >= 0) {
		log_output_stamp(stamp, sizeof(stamp), "%F %T ", when);
		return log_output_put(log_file, &log_file_torn, stamp, line);
	}
	if ((time_t)clock_day() - when >= LATE)
		log_output_stamp(stamp, sizeof(stamp), "[%F %T] ", when);
	syslog(priority, "%s%s", stamp, line);
	return 0;
}

void log_output_copy(int fd, const char *line)
{
	char before[BESIDE - 1];
	bool torn = false; /* (a pipe takes a line whole, or nothing of it) */

	snprintf(before, sizeof(before), "%s: ", log_ident);
	log_output_put(fd, fd == STDERR_FILENO ? &log_error_torn : &torn, before, line);
}
