#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"

json_t *json_of_text(const char *text)
{
	_cleanup_free_ char *copy = NULL;
	json_t *json = text ? json_string(text) : json_null();

	if (json)
		return json;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(copy);
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

json_t *json_of_error(int err, const char *why)
{
	return json_pack("{ss so}", "errno", strerrorname_np(-err), "error", json_of_text(why));
}
