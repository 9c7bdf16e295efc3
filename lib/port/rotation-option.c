/* How it is said when a file sink goes on to the next file, and how many of those before stay: rotate=, keep=. */
#include "rotation-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "size.h"

#define SIZE_MIN 4096
#define SECONDS_MAX (366 * 86400)
#define KEEP_MAX 10000

/* In the value of rotate=: seconds, not bytes. */
#define IS_TIME (UINT64_C(1) << 63)

static int rotation_parse(const struct uri_option *option, const char *text, uint64_t *value)
{
	static const struct {
		char unit;
		unsigned seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; digits && i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t n = strtoull(text, NULL, 10);

		if (text[digits] != units[i].unit || text[digits + 1])
			continue;
		if (n < 1 || n > SECONDS_MAX / units[i].seconds)
			return -ERANGE;
		*value = IS_TIME | n * units[i].seconds;
		return 0;
	}
	if (size_parse(text, INT64_MAX, value) < 0)
		return -EINVAL;
	return *value < SIZE_MIN ? -ERANGE : 0;
}

const struct uri_option file_rotate = {
	.name = "rotate",
	.dirs = PORT_SINKS,
	.parse = rotation_parse,
	.what = "a size (1G) of 4K or more, or a time (30s, 15m, 1h, 1d)",
};

const struct uri_option file_keep = {
	.name = "keep",
	.dirs = PORT_SINKS,
	.parse = uri_option_number,
	.what = "a number of files",
	.max = KEEP_MAX,
};

void rotation_read_options(struct rotation *r, const struct uri *uri)
{
	uint64_t rotate = uri_value(uri, &file_rotate);

	r->size = rotate & IS_TIME ? 0 : rotate;
	r->interval = rotate & IS_TIME ? rotate & ~IS_TIME : 0;
	r->keep = (unsigned)uri_value(uri, &file_keep);
}
