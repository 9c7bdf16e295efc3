/*
 * What is logged may be of a user's making: the names of channels, and how many lines there are. So nothing in a line
 * can look like another line or steer a terminal (text.h), and of too many lines some are left out, but for errors.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "text.h"

/* Lines in so many seconds. */
#define WINDOW_SECONDS 10
#define WINDOW_LINES 1000

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
static void log_put(FILE *to, const char *before, const char *line)
{
	flockfile(to);
	fputs(before, to);
	fputs(line, to);
	fputc('\n', to);
	funlockfile(to);
}

static void log_write(int priority, const char *line)
{
	char stamp[64];
	struct tm tm;
	time_t now;

	if (priority <= log_copy) {
		snprintf(stamp, sizeof(stamp), "%s: ", log_ident);
		log_put(stderr, stamp, line);
	}
	if (!log_file) {
		syslog(priority, "%s", line);
		return;
	}
	now = time(NULL);
	strftime(stamp, sizeof(stamp), "%F %T ", localtime_r(&now, &tm));
	log_put(log_file, stamp, line);
}

/* Whether this line is one too many. */
static bool log_floods(int priority)
{
	static atomic_llong began;
	static atomic_uint lines;
	long long begin = atomic_load(&began), now = time(NULL);
	char text[64];

	if (priority <= LOG_ERR || log_level >= LOG_DEBUG)
		return false;
	if (now - begin >= WINDOW_SECONDS && atomic_compare_exchange_strong(&began, &begin, now)) {
		unsigned all = atomic_exchange(&lines, 0);

		snprintf(text, sizeof(text), "%u lines were left out", all > WINDOW_LINES ? all - WINDOW_LINES : 0);
		if (all > WINDOW_LINES)
			log_write(LOG_WARNING, text);
	}
	return atomic_fetch_add(&lines, 1) >= WINDOW_LINES;
}

void log_vline(int priority, const char *fmt, va_list ap)
{
	_cleanup_free_ char *line = priority <= log_level ? text_vprint(fmt, ap) : NULL;

	if (line && !log_floods(priority))
		log_write(priority, line);
}

void log_line(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(priority, fmt, ap);
	va_end(ap);
}
