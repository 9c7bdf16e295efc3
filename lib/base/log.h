/* The daemon's log: syslog(3), copied to stderr in the foreground, or a file. */
#pragma once

#include <stdarg.h>
#include <syslog.h>

/*
 * Opens the log. Lines of priority @copy and above are copied to stderr. @path, where not NULL, takes the
 * lines instead of syslog (append, 0640). @ident is kept. Returns 0 or a negative errno from opening @path.
 */
int log_open(const char *ident, int copy, const char *path);

/* Lowest priority that is written: LOG_DEBUG with -d, else LOG_INFO. */
void log_set_level(int level);

/*
 * One line, no newline needed; @priority is syslog's. The text is cleaned (text.h), and a flood of lines is cut
 * short. Any thread; may block on the log.
 */
void log_line(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vline(int priority, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

#define log_err(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
