/* A list of lines for people: the mistakes in a file, what a reload has changed. */
#pragma once

#include <stddef.h>

struct lines {
	char **line; /* each clean (text.h), without newline */
	size_t count;
};

/* Appends a line, cleaned as text.h says. Out of memory, the line is lost, but not those before. */
void lines_add(struct lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Frees them, and leaves it zero. */
void lines_finish(struct lines *l);
