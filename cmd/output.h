/* What commands write: lines fit for a terminal, and JSON for programs and in requests to the daemon. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* Prints a line, made fit for a terminal (text.h). Returns 0 or -EIO. */
int output_line(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints @json, with the @flags of json_dumps(3), fit for a terminal as well. Returns 0 or -EIO. */
int output_json(const json_t *json, size_t flags);

/* @bytes, which need not be UTF-8 (text_to_utf8()), as a string of JSON. NULL: out of memory. */
json_t *output_string(const char *bytes);
