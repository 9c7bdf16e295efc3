#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "rotation.h"
#include "series.h"
#include "uri.h"

Test(series, an_interval_is_one_of_local_time)
{
	static const struct {
		uint64_t interval;
		time_t now, next;
	} told[] = {
		{ 86400, 1767222000, 1767308400 }, /* 2026-01-01 00:00 */
		{ 86400, 1767308399, 1767308400 },
		{ 86400, 1774738800, 1774821600 }, /* 2026-03-29, a day of 23 hours */
		{ 86400, 1774821599, 1774821600 },
		{ 86400, 1792879200, 1792969200 }, /* 2026-10-25, of 25 */
		{ 86400, 1792965600, 1792969200 }, /* its last hour */
		{ 3600, 1774744200, 1774746000 },  /* 01:30, before the hour that is left out */
		{ 3600, 1792884600, 1792886400 },  /* 01:30 */
		{ 3600, 1792888200, 1792890000 },  /* 02:30, before 02:00 comes again */
		{ 1, 1774744200, 1774744201 },
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		cr_expect_eq(series_next(told[i].interval, told[i].now), told[i].next, "%zu: %ld, not %ld", i,
			     series_next(told[i].interval, told[i].now), told[i].next);
}

Test(series, a_format_is_the_time_and_bytes)
{
	static const struct {
		const char *path, *format; /* NULL: refused */
	} told[] = {
		{ "/r/%Y%m%d-%H%M%S.ts", "/r/%Y%m%d-%H%M%S.ts" },
		{ "/r/%%%Y", "/r/%%%Y" },
		{ "/r/%25%Y", "/r/%%%Y" },
		{ "/r/%3F%20%Y", "/r/? %Y" },
		{ "/r/%e%de", "/r/%e%de" }, /* conversions, though they could be bytes */
		{ "/r/plain", NULL },
		{ "/r/%%", NULL },
		{ "/r/%25Y", NULL },
		{ "/r/%00%Y", NULL },
		{ "/r/%Y%", NULL },
		{ "/r/%Y%3", NULL },
		{ "/r/%Y%3g", NULL },
		{ "/r/%Y%D", NULL },
		{ "/r/%Y%n", NULL },
		{ "/r/%Y%Ey", NULL },
	};

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		char path[64], why[URI_WHY_MAX] = "";

		strcpy(path, told[i].path);
		if (told[i].format) {
			cr_expect_eq(series_parse(path, why), 0, "%s: %s", told[i].path, why);
			cr_expect_str_eq(path, told[i].format);
		} else {
			cr_expect_eq(series_parse(path, why), -EINVAL, "%s", told[i].path);
			cr_expect(why[0], "no reason for %s", told[i].path);
		}
	}
}

static int rotate_of(const char *text, uint64_t *value)
{
	return file_rotate.parse(&file_rotate, text, value);
}

Test(series, rotate_is_a_size_or_a_time)
{
	static const char *const wrong[] = {
		"", "h", "1", "4095", "0h", "1w", "1hh", "1h ", "-1h", "367d", "1.5h", "1e"
	};
	uint64_t size, time, other;

	cr_expect_eq(rotate_of("1M", &size), 0);
	cr_expect_eq(size, 1 << 20);
	cr_expect_eq(rotate_of("1m", &time), 0);
	cr_expect_eq(rotate_of("60s", &other), 0);
	cr_expect_eq(time, other);
	cr_expect_neq(time, size);
	cr_expect_eq(rotate_of("366d", &time), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_lt(rotate_of(wrong[i], &time), 0, "%s", wrong[i]);
}
