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

/* Returns @bytes as UTF-8, which must become @bytes again. */
static void expect_utf8(const char *bytes, const char *expected)
{
	_cleanup_free_ char *text = text_to_utf8(bytes), *back = strdup(text);

	cr_expect_str_eq(text, expected, "\"%s\" became \"%s\"", bytes, text);
	text_from_utf8(back);
	cr_expect_str_eq(back, bytes);
}

Test(text, loses_no_byte_that_is_not_utf8)
{
	expect_utf8("", "");
	expect_utf8("tap\xc3\xa9\x1b\x7f", "tap\xc3\xa9\x1b\x7f");
	expect_utf8("\x80", "\xee\xbe\x80");
	expect_utf8("a\xff\xc3", "a\xee\xbf\xbf\xee\xbf\x83");
	expect_utf8("\xc0\x8a", "\xee\xbf\x80\xee\xbe\x8a");
	/* A character that stands for a byte is not one. */
	expect_utf8("\xee\xbe\x80", "\xee\xbf\xae\xee\xbe\xbe\xee\xbe\x80");
	expect_utf8("\xee\xbf\xbf", "\xee\xbf\xae\xee\xbe\xbf\xee\xbe\xbf");
	expect_utf8("\xee\xbd\xbf", "\xee\xbd\xbf"); /* U+EF7F is none */
	for (int a = 1; a < 256; a++)
		for (int b = 1; b < 256; b++) {
			const char bytes[] = { (char)a, (char)b, '\0' };
			_cleanup_free_ char *text = text_to_utf8(bytes), *clean = strdup(text);

			text_from_utf8(text);
			cr_assert_str_eq(text, bytes);
			text_clean(clean);
			cr_assert_null(strchr(clean, '\xee'));
		}
}

Test(text, is_the_same_json_and_steers_nothing)
{
	_cleanup_free_ char *text = text_json(
		"{\n  \"a\\n\x7f\xc2\x9b\": \"\xe2\x80\xae\xc3\xa9\xf3\xa0\x81\x81\xee\xbf\xbf\"\n}");

	cr_expect_str_eq(text, "{\n  \"a\\n\\u007f\\u009b\": \"\\u202e\xc3\xa9\\udb40\\udc41\\uefff\"\n}");
}

Test(text, says_what_to_show_instead)
{
	static const struct {
		const char *text;
		size_t len;
		const char *mark;
	} all[] = {
		{ "a", 1, "" },
		{ "\xc3\xa9", 2, "" },
		{ "\n", 1, "\\x0a" },
		{ "\xc2\x9b", 2, "\\x9b" },
		{ "\xff", 1, "\\xff" },
		{ "\xee\xbf\xbf", 3, "\\xff" },
		{ "\xe2\x80\xae", 3, "\\u202e" },
		{ "\xf3\xa0\x81\x81", 4, "\\U000e0041" },
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		char mark[TEXT_MARK_MAX];

		cr_expect_eq(text_next(all[i].text, mark), all[i].len);
		cr_expect_str_eq(mark, all[i].mark);
	}
}
