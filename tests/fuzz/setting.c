/* The value of a setting is refused with a reason, or is within its bounds, and is printed so that it is read again. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "setting.h"
#include "size.h"

static void setting_try(enum setting_key key, const char *text)
{
	const struct setting *s = &settings_table[key];
	char why[SETTING_TEXT_MAX] = "", printed[SETTING_TEXT_MAX];
	uint64_t value = 0, again = 0;
	int err = setting_parse(key, text, &value, why);

	if (err < 0) {
		fuzz_check(err == -EINVAL || err == -ERANGE, "%s: %d", text, err);
		fuzz_check(*why && fuzz_is_clean(why), "%s: the reason is '%s'", text, why);
		return;
	}
	fuzz_check((value >= s->min && value <= s->max) || (s->beyond && value == UINT64_MAX), "%s of %s: %ju", text,
		   s->name, (uintmax_t)value);
	setting_print(key, value, printed);
	fuzz_check(setting_parse(key, printed, &again, why) == 0 && again == value, "%s: printed as %s", text, printed);
}

static void setting_try_size(const char *text, uint64_t max)
{
	char printed[SIZE_TEXT_MAX];
	uint64_t size = 0, again = 0;

	if (size_parse(text, max, &size) < 0)
		return;
	fuzz_check(size <= max, "%s: %ju", text, (uintmax_t)size);
	size_print(printed, size);
	fuzz_check(size_parse(printed, max, &again) == 0 && again == size, "%s: printed as %s", text, printed);
	fuzz_check(strlen(printed) <= strlen(text), "%s is shorter than %s", text, printed);
	fuzz_check(strlen(size_print_round(printed, (double)size)) <= 5, "%s: about %s", text, printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned key = fuzz_byte(&in);
	_cleanup_free_ char *text = fuzz_text(&in);

	if (key < SETTINGS)
		setting_try((enum setting_key)key, text);
	else
		setting_try_size(text, UINT64_MAX >> (key % 64));
	key = (unsigned)setting_find(text);
	fuzz_check((int)key == -ENOENT || !strcmp(settings_table[key].name, text), "%s: setting %u", text, key);
	return 0;
}
