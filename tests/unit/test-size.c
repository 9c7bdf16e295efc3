#include <criterion/criterion.h>
#include <errno.h>

#include "size.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

Test(size, takes_letters_large_and_small)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {
		{ "0", 0 },
		{ "0T", 0 },
		{ "007", 7 },
		{ "4096", 4096 },
		{ "64K", 65536 },
		{ "64k", 65536 },
		{ "2m", 2 << 20 },
		{ "1536M", 1536ull << 20 },
		{ "1g", 1 << 30 },
		{ "1T", 1ull << 40 },
		{ "1t", 1ull << 40 },
		{ "18446744073709551615", UINT64_MAX },
		{ "16777215T", 16777215ull << 40 },
	};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t bytes = 1;

		cr_expect_eq(size_parse(sizes[i].text, UINT64_MAX, &bytes), 0, "%s", sizes[i].text);
		cr_expect_eq(bytes, sizes[i].bytes, "%s", sizes[i].text);
	}
}

Test(size, takes_nothing_else)
{
	static const char *const rubbish[] = {
		"",
		" ",
		"-1",
		"+1",
		" 1",
		"1 ",
		"K",
		"1KB",
		"1kk",
		"1E",
		"0x10",
		"1.5M",
		"1\xc2\xb2",
		"99999999999999999999x",
		"99999999999999999999TT",
	};
	uint64_t bytes = 7;

	for (size_t i = 0; i < COUNT(rubbish); i++)
		cr_expect_eq(size_parse(rubbish[i], UINT64_MAX, &bytes), -EINVAL, "%s", rubbish[i]);
	cr_expect_eq(bytes, 7);
}

Test(size, has_an_upper_bound)
{
	static const char *const huge[] = {
		"18446744073709551616",  "99999999999999999999",  "16777216T",
		"18446744073709551615K", "99999999999999999999M",
	};
	uint64_t bytes = 7;

	for (size_t i = 0; i < COUNT(huge); i++)
		cr_expect_eq(size_parse(huge[i], UINT64_MAX, &bytes), -ERANGE, "%s", huge[i]);
	cr_expect_eq(size_parse("1025", 1024, &bytes), -ERANGE);
	cr_expect_eq(size_parse("2K", 2047, &bytes), -ERANGE);
	cr_expect_eq(bytes, 7);
	cr_expect_eq(size_parse("1K", 1024, &bytes), 0);
	cr_expect_eq(bytes, 1024);
}

Test(size, is_printed_exactly_and_read_again)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 1000, "1000" },
		{ 1023, "1023" },
		{ 1024, "1K" },
		{ 1025, "1025" },
		{ 1536 << 10, "1536K" },
		{ 1 << 20, "1M" },
		{ 1 << 30, "1G" },
		{ 1ull << 40, "1T" },
		{ 1ull << 50, "1024T" },
		{ UINT64_MAX, "18446744073709551615" },
	};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		char text[SIZE_TEXT_MAX];
		uint64_t bytes;

		cr_expect_str_eq(size_print(text, sizes[i].bytes), sizes[i].text);
		cr_expect_eq(size_parse(text, UINT64_MAX, &bytes), 0);
		cr_expect_eq(bytes, sizes[i].bytes);
	}
}

Test(size, is_rounded_for_people)
{
	static const struct {
		double bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" },
		{ -1, "0" },
		{ 512, "512" },
		{ 1023, "1023" },
		{ 1023.7, "1.0K" },
		{ 1024, "1.0K" },
		{ 1536, "1.5K" },
		{ 9.96 * 1024, "10K" },
		{ 1023.6 * 1024, "1.0M" },
		{ 20 << 20, "20M" },
		{ 1ull << 60, "1.0E" },
		{ 18446744073709551615.0, "16E" },
	};
	char text[SIZE_TEXT_MAX];

	for (size_t i = 0; i < COUNT(sizes); i++)
		cr_expect_str_eq(size_print_round(text, sizes[i].bytes), sizes[i].text);
	cr_expect_str_eq(size_print_round(text, __builtin_nan("")), "0");
	size_print_round(text, 1e300); /* only has to fit */
}
