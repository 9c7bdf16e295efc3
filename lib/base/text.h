/*
 * Text of others' making (names, URIs, what a library says), made fit for a terminal, a line of the log and JSON: the
 * only sanitiser. What goes through it is one line of valid UTF-8 that neither steers a terminal nor hides or reorders
 * what stands beside it. The log is UTF-8 as well: syslog(3) and journald take it, and names stay readable.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define TEXT_MARK_MAX 12

/*
 * Bytes that are not UTF-8 get lost by that. Where none may, each such byte stands as the character U+EF00 + byte, which is
 * U+EF80 to U+EFFF, and so does each byte of a character that is one of these in the text. Then it is UTF-8, as JSON must
 * be, and nothing else becomes the same. NULL: out of memory; the caller frees it.
 */
char *text_to_utf8(const char *bytes);

/* The bytes again, in place: the text gets no longer. */
void text_from_utf8(char *text);

/*
 * Text of a JSON library's making with every character that is not fit for a terminal as \uXXXX: the same to who reads
 * JSON. NULL: out of memory; the caller frees it.
 */
char *text_json(const char *dump);

/*
 * For formats with an escape of their own: the next character of @text, which has some, has as many bytes as are returned.
 * @mark: what to show instead of it, "\x1b", "\u202e" or "\U000e0041", or for a byte that was none "\xff"; "" where it is fit.
 */
size_t text_next(const char *text, char mark[TEXT_MARK_MAX]);

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
