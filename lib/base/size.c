#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char size_units[] = "KMGT";

int size_parse(const char *text, uint64_t max, uint64_t *bytes)
{
	const char *end = text, *unit = NULL;
	bool huge = false;
	uint64_t n = 0;

	for (; *end >= '0' && *end <= '9'; end++)
		huge |= __builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (unsigned)(*end - '0'), &n);
	if (end == text)
		return -EINVAL;
	if (*end) {
		unit = strchr(size_units, toupper((unsigned char)*end));
		if (!unit || end[1])
			return -EINVAL;
		huge |= __builtin_mul_overflow(n, UINT64_C(1) << (10 * (unit - size_units + 1)), &n);
	}
	if (huge || n > max)
		return -ERANGE;
	*bytes = n;
	return 0;
}

const char *size_print(char text[SIZE_TEXT_MAX], uint64_t bytes)
{
	const char *unit = size_units;

	if (!bytes || bytes % 1024) {
		snprintf(text, SIZE_TEXT_MAX, "%" PRIu64, bytes);
		return text;
	}
	for (bytes /= 1024; bytes % 1024 == 0 && unit[1]; bytes /= 1024)
		unit++;
	snprintf(text, SIZE_TEXT_MAX, "%" PRIu64 "%c", bytes, *unit);
	return text;
}

const char *size_print_round(char text[SIZE_TEXT_MAX], double bytes)
{
	static const char units[] = " KMGTPE";
	const char *unit = units;

	if (!(bytes > 0))
		bytes = 0;
	/* What is rounded to 1024 of a unit is one of the next. */
	for (; bytes >= 1023.5 && unit[1]; unit++)
		bytes /= 1024;
	if (unit == units)
		snprintf(text, SIZE_TEXT_MAX, "%.0f", bytes);
	else
		snprintf(text, SIZE_TEXT_MAX, bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, *unit);
	return text;
}
