/* The daemon's log: syslog(3), copied to stderr in the foreground, or a file. */
#pragma once

#include <sys/types.h>
#include <syslog.h>

/*
 * Opens the log. Lines of priority @copy and above are copied to stderr. @path, where not NULL, takes the
 * lines instead of syslog (append, 0640). @ident is kept. Returns 0 or a negative errno from opening @path.
 *
 * Until log_defer(), who says a line writes it, and may wait for who takes it. From then on lines are queued, whoever may
 * say them, and copied when they are written; what finds no room is lost, and told of by one line with its number.
 */
int log_open(const char *ident, int copy, const char *path);
void log_defer(void);

/*
 * Begins the thread that writes what was queued and will be. Not before whatever asks for a process
 * with one thread, or sets what threads have each for themselves. Never blocks. Returns 0 or a negative errno of
 * pthread_create(3).
 */
int log_start(void);

#define LOG_THREAD "spfsd-log"

/* Copies go to @fd instead, and at once in any case: it must not block, and what it does not take is lost. -1: nowhere. */
void log_copy_to(int fd);

/*
 * The end, after log_defer(): waits until what was said is written, for up to LOG_END_SECONDS; nothing is written after it. Any
 * thread, and several. Where no thread can be had, SIGALRM ends the process instead of a longer wait.
 */
void log_end(void);

#define LOG_END_SECONDS 2

/* Lowest priority that is written: LOG_DEBUG with -d, else LOG_INFO. */
void log_set_level(int level);

/* Who has caused a line that no user has: the daemon. */
#define LOG_NOBODY ((uid_t)-1)

/* One of the users, and it is not known which: so that their lines leave out none of the daemon's. */
#define LOG_SOMEBODY ((uid_t)-3)

/* Bytes of a line: of what is longer the middle is left out. */
#define LOG_LINE_MAX 1024

/*
 * One line, no newline needed, that @user has caused; @priority is syslog's. The text is cleaned (text.h), and of too many
 * lines of one user's some are left out and counted (log-limit.h). Any thread; blocks only before log_defer().
 */
void log_line(uid_t user, int priority, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* One of the lines that the administrator has asked for, and gets all of. */
void log_wanted(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One line, whatever the limits, then log_end() and abort(3). */
__attribute__((noreturn)) void log_abort(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Tells of what was left out: with a line that comes LOG_LIMIT_WAIT seconds later or more, or at once with log_flush().
 * @left_out is called on any thread when something is left out and nothing was before, so that somebody sees to that; it
 * must not block. NULL: nobody does so any more, and none is in it.
 */
void log_flush(void);
void log_set_left_out(void (*left_out)(void *data), void *data);

#define log_err(...) log_line(LOG_NOBODY, LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_NOBODY, LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_NOBODY, LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_NOBODY, LOG_DEBUG, __VA_ARGS__)

/* The same of a user's doing. */
#define log_user_err(user, ...) log_line(user, LOG_ERR, __VA_ARGS__)
#define log_user_warn(user, ...) log_line(user, LOG_WARNING, __VA_ARGS__)
#define log_user_info(user, ...) log_line(user, LOG_INFO, __VA_ARGS__)
