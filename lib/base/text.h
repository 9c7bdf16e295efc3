/*
 * Text of others' making (names, URIs, what a library says), made fit for a terminal, a line of the log and JSON: the
 * only sanitiser. What goes through it is one line of valid UTF-8 that neither steers a terminal nor hides or reorders
 * what stands beside it. The log is UTF-8 as well: syslog(3) and journald take it, and names stay readable.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * Each control character (C0, DEL and C1), line or paragraph separator, mark of direction and other character that
 * only formats becomes one '?', and so does each byte that is not UTF-8. In place: the text gets no longer.
 */
void text_clean(char *text);

/* Leaves out of the middle what is more than @max bytes, at least 64, and says how much. In place. */
void text_shorten(char *text, size_t max);

/*
 * As snprintf(3), and cleans what it has written; what does not fit is cut off between two characters. @size is at
 * least 1. Returns the length that is there, without the zero byte.
 */
size_t text_format(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
size_t text_vformat(char *out, size_t size, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* The same into memory of its own, which the caller frees. NULL: out of memory. */
char *text_vprint(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
