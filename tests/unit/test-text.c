#include <criterion/criterion.h>
#include <string.h>

#include "base.h"
#include "lines.h"
#include "text.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void expect_clean(const char *text, const char *expected)
{
	_cleanup_free_ char *exact = strdup(text); /* a byte too far is seen */

	text_clean(exact);
	cr_expect_str_eq(exact, expected, "\"%s\" became \"%s\"", text, exact);
}

Test(text, leaves_what_people_write)
{
	static const char *const good[] = {
		"",
		" ~",
		"tap\xc3\xa9\xe2\x82\xac",
		"\xe6\x97\xa5\xe6\x9c\xac",
		"\xf0\x9f\x8e\xa5",
		"\xc2\xa0",
		"\xf4\x8f\xbf\xbf",
		"\xed\x9f\xbf",
		"\xe2\x80\x90",
		"\xe2\x80\xaf",
		"'\"\\<&>%s",
	};

	for (size_t i = 0; i < COUNT(good); i++)
		expect_clean(good[i], good[i]);
}

Test(text, steers_no_terminal_and_begins_no_line)
{
	expect_clean("a\nb\tc\033[2J\x7f", "a?b?c?[2J?");
	expect_clean("\xc2\x80|\xc2\x85|\xc2\x9b"
		     "31m|\xc2\x9f",
		     "?|?|?31m|?");
	expect_clean("\x9b"
		     "31m",
		     "?31m");
	expect_clean("a\xe2\x80\xa8"
		     "b\xe2\x80\xa9"
		     "c",
		     "a?b?c");
}

Test(text, hides_and_reorders_nothing)
{
	/* U+202E, U+2066, U+200F, U+200B, U+FEFF, U+00AD, U+061C, U+FFF9, U+E0041 */
	expect_clean("\xe2\x80\xae|\xe2\x81\xa6|\xe2\x80\x8f|\xe2\x80\x8b|\xef\xbb\xbf|\xc2\xad|\xd8\x9c|\xef\xbf\xb9|"
		     "\xf3\xa0\x81\x81",
		     "?|?|?|?|?|?|?|?|?");
}

Test(text, is_utf8_afterwards)
{
	expect_clean("\xff\xfe", "??");
	expect_clean("a\x80z", "a?z");
	expect_clean("\xc3", "?");
	expect_clean("\xe2\x82", "??");
	expect_clean("\xe2\x82z", "??z");
	expect_clean("\xf0\x9f\x8e", "???");
	expect_clean("\xc0\x8a", "??"); /* overlong: a newline */
	expect_clean("\xe0\x80\x8a", "???");
	expect_clean("\xf0\x80\x80\x8a", "????");
	expect_clean("\xed\xa0\x80", "???");      /* half of a pair of UTF-16 */
	expect_clean("\xf4\x90\x80\x80", "????"); /* above U+10FFFF */
	expect_clean("\xc3\xc3\xa9", "?\xc3\xa9");
}

Test(text, is_cut_between_characters)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xa5";
	static const size_t whole[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10 };
	char out[sizeof(text)];

	for (size_t size = 1; size <= sizeof(text); size++) {
		memset(out, 'x', sizeof(out));
		cr_expect_eq(text_format(out, size, "%s", text), whole[size - 1], "%zu", size);
		cr_expect_eq(strlen(out), whole[size - 1]);
		cr_expect_eq(memcmp(out, text, whole[size - 1]), 0);
	}
	cr_expect_eq(text_format(out, 4, "%s", "a\x80\x80\x80\x80"), 3);
	cr_expect_str_eq(out, "a??");
	cr_expect_eq(text_format(out, sizeof(out), "%d\n%s", 7, "z"), 3);
	cr_expect_str_eq(out, "7?z");
}

Test(text, makes_one_line_of_each)
{
	struct lines lines = { 0 };

	lines_add(&lines, "%s: \xc3\xa9", "a\nb\xc2\x9b\xff");
	cr_assert_eq(lines.count, 1);
	cr_expect_str_eq(lines.line[0], "a?b??: \xc3\xa9");
	lines_finish(&lines);
}
