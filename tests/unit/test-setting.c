#include <criterion/criterion.h>
#include <errno.h>

#include "prologue.h"
#include "setting.h"

static int parse(enum setting_key key, const char *text, uint64_t *value)
{
	char why[SETTING_TEXT_MAX] = "";
	int err = setting_parse(key, text, value, why);

	cr_assert_eq(err == 0, *why == '\0', "%s: %s", text, why);
	return err;
}

Test(setting, sizes_take_suffixes)
{
	uint64_t value = 0;

	cr_assert_eq(parse(SETTING_DEPTH, "4096", &value), 0);
	cr_assert_eq(value, 4096);
	cr_assert_eq(parse(SETTING_DEPTH, "64K", &value), 0);
	cr_assert_eq(value, 65536);
	cr_assert_eq(parse(SETTING_DEPTH, "3m", &value), 0);
	cr_assert_eq(value, 3145728);
	cr_assert_eq(parse(SETTING_DEPTH, "1G", &value), 0);
	cr_assert_eq(value, 1073741824);
	cr_assert_eq(parse(SETTING_DEPTH, "1T", &value), 0);
	cr_assert_eq(value, 1ull << 40);
}

Test(setting, rubbish_is_no_value)
{
	static const char *const rubbish[] = { "",    " ", "-1",   "+1",   " 1",    "1 ",
					       "1KB", "K", "0x10", "1.5M", "block", "1kk" };
	uint64_t value = 7;

	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++)
		cr_assert_eq(parse(SETTING_DEPTH, rubbish[i], &value), -EINVAL, "%s", rubbish[i]);
	cr_assert_eq(parse(SETTING_POLICY, "Block", &value), -EINVAL);
	cr_assert_eq(parse(SETTING_POLICY, "0", &value), -EINVAL);
	cr_assert_eq(parse(SETTING_EOF, "", &value), -EINVAL);
	cr_assert_eq(value, 7);
}

Test(setting, numbers_have_bounds)
{
	uint64_t value = 7;

	cr_assert_eq(parse(SETTING_SIZE, "4095", &value), -ERANGE);
	cr_assert_eq(parse(SETTING_SIZE, "4096", &value), 0);
	cr_assert_eq(parse(SETTING_SIZE, "1G", &value), 0);
	cr_assert_eq(parse(SETTING_SIZE, "1025M", &value), -ERANGE);
	cr_assert_eq(parse(SETTING_PACKETS, "2", &value), -ERANGE);
	cr_assert_eq(parse(SETTING_DEPTH, "18446744073709551616", &value), -ERANGE);
	cr_assert_eq(parse(SETTING_DEPTH, "18446744073709551615T", &value), -ERANGE);
	cr_assert_eq(parse(SETTING_DEPTH, "16777216T", &value), -ERANGE);
}

Test(setting, a_prologue_is_none_or_so_many_bytes)
{
	uint64_t value = 1;
	char text[SETTING_TEXT_MAX];

	cr_assert_eq(parse(SETTING_PROLOGUE, "none", &value), 0);
	cr_assert_eq(value, 0);
	cr_assert_eq(parse(SETTING_PROLOGUE, "first:64K", &value), 0);
	cr_assert_eq(value, PROLOGUE_MAX);
	cr_assert_eq(parse(SETTING_PROLOGUE, "first:65537", &value), -ERANGE);
	for (const char *const *bad =
		     (const char *[]){ "", "first", "first:", "first:x", "none:", "bytes:4", "24", NULL };
	     *bad; bad++)
		cr_assert_eq(parse(SETTING_PROLOGUE, *bad, &value), -EINVAL, "%s", *bad);
	setting_print(SETTING_PROLOGUE, PROLOGUE_GIVEN | 300, text);
	cr_assert_str_eq(text, "bytes:300");
}

Test(setting, a_latency_is_not_set_with_what_follows_from_it)
{
	bool has[SETTINGS] = { [SETTING_LATENCY] = true };
	uint64_t value[SETTINGS] = { [SETTING_LATENCY] = 200 };

	cr_assert(setting_fits(has, value));
	has[SETTING_DEPTH] = true;
	cr_assert_not(setting_fits(has, value));
	value[SETTING_LATENCY] = 0;
	cr_assert(setting_fits(has, value));
}

Test(setting, every_value_is_read_as_it_was_written)
{
	for (enum setting_key key = 0; key < SETTINGS; key++) {
		uint64_t value = 0, values[] = { settings_table[key].min, settings_table[key].max };
		char text[SETTING_TEXT_MAX];

		for (int i = 0; i < 2; i++) {
			setting_print(key, values[i], text);
			cr_assert_eq(parse(key, text, &value), 0, "%s", text);
			cr_assert_eq(value, values[i]);
		}
		cr_assert_eq(setting_find(settings_table[key].name), key);
	}
	cr_assert_eq(setting_find("nothing"), -ENOENT);
	cr_assert_eq(setting_find(""), -ENOENT);
}
