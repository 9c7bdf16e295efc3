#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "text.h"

/* Of a date with milliseconds. */
#define JSON_DIGITS 13

json_t *json_of_text(const char *text)
{
	_cleanup_free_ char *utf8 = text ? text_to_utf8(text) : NULL;

	return !text ? json_null() : utf8 ? json_string(utf8) : NULL;
}

json_t *json_of_moment(uint64_t nsec)
{
	return nsec ? json_real(clock_date(nsec)) : json_null();
}

char *json_text(const json_t *json, size_t flags)
{
	_cleanup_free_ char *dump = json_dumps(json, flags | JSON_REAL_PRECISION(JSON_DIGITS));

	return dump ? text_json(dump) : NULL;
}

json_t *json_of_path(const struct node *node)
{
	_cleanup_free_ char *path = node && node->parent ? node_path(node) : NULL;

	return json_of_text(path);
}

json_t *json_of_number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *json_of_setting(enum setting_key key, uint64_t value)
{
	char text[SETTING_TEXT_MAX];

	setting_print(key, value, text);
	return setting_is_word(key, value) ? json_string(text) : json_of_number(value);
}

json_t *json_of_error(int err, const char *why)
{
	_cleanup_free_ char *clean = strdup(why);

	if (!clean)
		return NULL;
	text_clean(clean);
	return json_pack("{ss ss}", "errno", strerrorname_np(-err), "error", clean);
}
