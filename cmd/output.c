#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "text.h"

int output_line(FILE *to, const char *fmt, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	line = text_vprint(fmt, ap);
	va_end(ap);
	return !line || fprintf(to, "%s\n", line) < 0 ? -EIO : 0;
}

int output_json(const json_t *json, size_t flags)
{
	_cleanup_free_ char *dump = json_dumps(json, flags);
	_cleanup_free_ char *text = dump ? text_json(dump) : NULL;

	return !text || puts(text) == EOF ? -EIO : 0;
}

json_t *output_string(const char *bytes)
{
	_cleanup_free_ char *text = text_to_utf8(bytes);

	return text ? json_string(text) : NULL;
}
