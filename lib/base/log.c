/*
 * What is logged may be of a user's making: the names of channels, and how many lines there are. So nothing in a line
 * can look like another line or steer a terminal (text.h), a line has a length, and of too many lines some are left out,
 * errors as well (log-limit.h).
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "log-limit.h"
#include "text.h"

static FILE *log_file;
static const char *log_ident = "spfs";
static int log_copy = -1;
static int log_level = LOG_INFO;

static pthread_mutex_t log_left_out_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*log_left_out)(void *data);
static void *log_left_out_data;

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
	now = (time_t)clock_day();
	strftime(stamp, sizeof(stamp), "%F %T ", localtime_r(&now, &tm));
	log_put(log_file, stamp, line);
}

void log_set_left_out(void (*left_out)(void *data), void *data)
{
	pthread_mutex_lock(&log_left_out_lock);
	log_left_out = left_out;
	log_left_out_data = data;
	pthread_mutex_unlock(&log_left_out_lock);
}

static void log_tell_left_out(void)
{
	pthread_mutex_lock(&log_left_out_lock);
	if (log_left_out)
		log_left_out(log_left_out_data);
	pthread_mutex_unlock(&log_left_out_lock);
}

/* Tells of what was left out before. */
static void log_flush_some(bool all)
{
	char *text;

	while (log_limit_told(all, &text)) {
		if (text)
			log_write(LOG_WARNING, text);
		free(text);
	}
}

void log_flush(void)
{
	log_flush_some(true);
}

static void log_write_without_memory(int priority, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];

	vsnprintf(line, sizeof(line), fmt, ap);
	for (char *c = line; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	log_write(priority, line);
}

static void log_put_line(uid_t user, int priority, bool limited, const char *fmt, va_list ap)
{
	_cleanup_free_ char *line = NULL;
	va_list again;
	bool first;

	if (priority > log_level)
		return;
	va_copy(again, ap);
	line = text_vprint(fmt, ap);
	if (!line)
		log_write_without_memory(priority, fmt, again);
	va_end(again);
	if (!line)
		return;
	text_shorten(line, LOG_LINE_MAX);
	log_flush_some(false);
	if (!limited || log_level >= LOG_DEBUG || log_limit_pass(user, fmt, line, &first))
		log_write(priority, line);
	else if (first)
		log_tell_left_out();
}

void log_line(uid_t user, int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put_line(user, priority, true, fmt, ap);
	va_end(ap);
}

void log_wanted(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put_line(LOG_NOBODY, priority, false, fmt, ap);
	va_end(ap);
}
