#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "xattr.h"

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

void json_reply_xattr(fuse_req_t req, json_t *json, size_t size, size_t room)
{
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text)
		xattr_reply(req, text, strlen(text), size, room);
	else
		fuse_reply_err(req, ENOMEM);
	json_decref(json);
}
