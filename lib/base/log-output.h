/* Where lines of the log go, one after the other; whoever writes one here may wait for who takes it. */
#pragma once

#include <time.h>

/* As log_open() says, which alone asks for it. */
int log_output_open(const char *ident, const char *path);

/*
 * Writes @line, of at most LOG_LINE_MAX bytes, that was said at @when, to the file or by syslog(3). Returns 0, or a negative
 * errno of write(2) where the file does not take it, or not all of it; of syslog that is not known.
 */
int log_output_write(int priority, time_t when, const char *line);

/* The same line to @fd, as a person sees it: without its time. What @fd does not take is lost. */
void log_output_copy(int fd, const char *line);
