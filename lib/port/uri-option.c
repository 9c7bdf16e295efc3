#include "uri-option.h"

#include <errno.h>
#include <string.h>

#include "kinds.h"
#include "size.h"

/* Nothing but digits of @base; -ERANGE above @max. */
static int uri_option_digits(const char *text, unsigned base, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (!*text)
		return -EINVAL;
	for (const char *p = text; *p; p++)
		if (*p < '0' || (unsigned)(*p - '0') >= base)
			return -EINVAL;
	for (; *text; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (n > (max - digit) / base)
			return -ERANGE;
		n = n * base + digit;
	}
	*value = n;
	return 0;
}

int uri_option_size(const struct uri_option *option, const char *text, uint64_t *value)
{
	return size_parse(text, option->max, value);
}

int uri_option_number(const struct uri_option *option, const char *text, uint64_t *value)
{
	return uri_option_digits(text, 10, option->max, value);
}

int uri_option_octal(const struct uri_option *option, const char *text, uint64_t *value)
{
	return uri_option_digits(text, 8, option->max, value);
}

int uri_option_flag(const struct uri_option *option, const char *text, uint64_t *value)
{
	if (strcmp(text, "0") && strcmp(text, "1"))
		return -EINVAL;
	*value = *text == '1';
	return 0;
}

int uri_option_place(const struct port_kind *kind, const char *name, size_t len)
{
	const struct uri_option *const *options = kind->options;

	for (int i = 0; options[i]; i++)
		if (strlen(options[i]->name) == len && !memcmp(options[i]->name, name, len))
			return i;
	return -1;
}

const struct uri_option uri_rate = {
	.name = "rate",
	.dirs = PORT_SINKS,
	.parse = uri_option_size,
	.what = "a size",
	.max = 1ull << 40,
};
