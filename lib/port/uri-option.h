/*
 * An option of a URI. It belongs to who makes use of it, and each kind of port lists those that it has (kinds.h): so
 * two kinds may share one, and who asks for its value need not know the kind.
 */
#pragma once

#include <stddef.h>

#include "uri.h"

struct uri_option {
	const char *name;
	unsigned dirs; /* PORT_DIR_BIT()s: of sources, of sinks */
	/* Returns 0, -EINVAL, or -ERANGE where it is above option->max. */
	int (*parse)(const struct uri_option *option, const char *text, uint64_t *value);
	const char *what; /* a value is: "a size", for a reason */
	uint64_t max;
	uint64_t preset; /* its value where it is not written */
};

#define PORT_DIR_BIT(dir) (1u << (dir))
#define PORT_SOURCES PORT_DIR_BIT(PORT_SOURCE)
#define PORT_SINKS PORT_DIR_BIT(PORT_SINK)

#define URI_SECONDS_MAX 86400

/* Parsers: a size (size.h), a decimal number, an octal number, "0" or "1". */
int uri_option_size(const struct uri_option *option, const char *text, uint64_t *value);
int uri_option_number(const struct uri_option *option, const char *text, uint64_t *value);
int uri_option_octal(const struct uri_option *option, const char *text, uint64_t *value);
int uri_option_flag(const struct uri_option *option, const char *text, uint64_t *value);

/* The place among those that @kind has of the one called by the first @len bytes of @name; -1: none. */
int uri_option_place(const struct port_kind *kind, const char *name, size_t len);

/* Bytes a second that a sink takes at most; 0: any. */
extern const struct uri_option uri_rate;
