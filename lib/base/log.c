/*
 * What is logged may be of a user's making: the names of channels, and how many lines there are. So nothing in a line
 * can look like another line or steer a terminal (text.h), a line has a length, and of too many lines some are left out,
 * errors as well (log-limit.h).
 *
 * Who takes the log may let it wait: any user can fill the queue of /dev/log's socket. So while the daemon serves, a thread
 * writes it, which waits for the others' lines (log-queue.h), and nobody for it but the end, for a while.
 */
#include "log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "log-limit.h"
#include "log-output.h"
#include "log-queue.h"
#include "text.h"
#include "thread.h"

/* What syslog(3) takes, and what a sanitizer adds to it. */
#define LOG_STACK (128ul * 1024)

static int log_copy = -1;
static int log_level = LOG_INFO;
static bool log_deferred; /* lines go to the queue ... */
static bool log_started;  /* ... which has its thread */

static pthread_mutex_t log_copy_lock = PTHREAD_MUTEX_INITIALIZER;
static int log_copy_fd = STDERR_FILENO;

static pthread_mutex_t log_left_out_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*log_left_out)(void *data);
static void *log_left_out_data;

int log_open(const char *ident, int copy, const char *path)
{
	int err = log_output_open(ident, path);

	if (err == 0)
		log_copy = copy;
	return err;
}

void log_set_level(int level)
{
	log_level = level;
}

void log_copy_to(int fd)
{
	pthread_mutex_lock(&log_copy_lock);
	log_copy_fd = fd;
	pthread_mutex_unlock(&log_copy_lock);
}

/*
 * Copies it, if it is to be, unless the thread has to do that: standard error may wait. Nobody writes a copy to a descriptor
 * that was exchanged meanwhile.
 */
static bool log_copy_at_once(int priority, const char *line)
{
	bool at_once;

	pthread_mutex_lock(&log_copy_lock);
	at_once = !log_deferred || log_copy_fd != STDERR_FILENO;
	if (at_once && priority <= log_copy && log_copy_fd >= 0)
		log_output_copy(log_copy_fd, line);
	pthread_mutex_unlock(&log_copy_lock);
	return at_once;
}

/* @line is of at most LOG_LINE_MAX bytes; @own: not for a user. */
static void log_write(bool own, int priority, const char *line)
{
	bool copied = log_copy_at_once(priority, line);

	if (log_deferred)
		log_queue_put(own, priority, copied, line);
	else
		log_output_write(priority, (time_t)clock_day(), line);
}

/* ---- the thread ---- */

/* What is not in the log, and not yet told of there. */
struct log_losses {
	unsigned late; /* they found no room in the queue */
	unsigned failed;
	int err; /* of the last of these */
};

static int log_write_taken(const struct log_entry *e)
{
	if (!e->head.copied && e->head.priority <= log_copy)
		log_output_copy(STDERR_FILENO, e->line);
	return log_output_write(e->head.priority, e->head.when, e->line);
}

/* It is copied only once it is in the log, for until then it is tried with each line. */
static int log_write_loss(time_t when, const char *line)
{
	int err = log_output_write(LOG_WARNING, when, line);

	if (err == 0 && !log_copy_at_once(LOG_WARNING, line) && LOG_WARNING <= log_copy)
		log_output_copy(STDERR_FILENO, line);
	return err;
}

/* Before the line that comes after them. */
static void log_write_losses(time_t when, struct log_losses *l)
{
	char line[LOG_LINE_MAX];

	if (l->failed) {
		snprintf(line, sizeof(line), "%u line%s could not be written: %s", l->failed, l->failed == 1 ? "" : "s",
			 strerror(-l->err));
		if (log_write_loss(when, line) < 0)
			return;
		l->failed = 0;
	}
	if (l->late) {
		snprintf(line, sizeof(line), "%u line%s lost here: who takes the log was too slow", l->late,
			 l->late == 1 ? " was" : "s were");
		if (log_write_loss(when, line) == 0)
			l->late = 0;
	}
}

static void log_write_queue(void)
{
	struct log_losses losses = { 0 };
	struct log_entry e;

	while (log_queue_take(&e)) {
		int err;

		losses.late += e.head.lost;
		log_write_losses(e.head.when, &losses);
		err = e.head.len ? log_write_taken(&e) : 0;
		if (err < 0) {
			losses.failed++;
			losses.err = err;
		}
	}
}

static void *log_run(void *arg)
{
	thread_name(LOG_THREAD);
	log_write_queue();
	return NULL;
}

void log_defer(void)
{
	log_deferred = true;
}

int log_start(void)
{
	int err;

	log_started = true;
	err = thread_start(NULL, LOG_STACK, log_run, NULL);
	log_started = err == 0;
	return err;
}

void log_end(void)
{
	if (!log_deferred)
		return;
	log_queue_close();
	if (!log_started && log_start() < 0) {
		alarm(LOG_END_SECONDS); /* the process is at its end, and has no other way not to wait for ever */
		log_write_queue();
		alarm(0);
	}
	log_queue_drain(LOG_END_SECONDS * NSEC_PER_SEC);
}

/* ---- what is said ---- */

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
		if (text) {
			text_shorten(text, LOG_LINE_MAX);
			log_write(false, LOG_WARNING, text);
		}
		free(text);
	}
}

void log_flush(void)
{
	log_flush_some(true);
}

static void log_write_without_memory(uid_t user, int priority, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];

	vsnprintf(line, sizeof(line), fmt, ap);
	for (char *c = line; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	log_write(user == LOG_NOBODY, priority, line);
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
		log_write_without_memory(user, priority, fmt, again);
	va_end(again);
	if (!line)
		return;
	text_shorten(line, LOG_LINE_MAX);
	log_flush_some(false);
	if (!limited || log_level >= LOG_DEBUG || log_limit_pass(user, fmt, line, &first))
		log_write(user == LOG_NOBODY, priority, line);
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

void log_abort(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put_line(LOG_NOBODY, LOG_ERR, false, fmt, ap);
	va_end(ap);
	log_end();
	abort();
}
