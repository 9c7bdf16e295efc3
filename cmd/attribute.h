/* The daemon's extended attributes that hold JSON. */
#pragma once

#include <jansson.h>

/*
 * Reads the attribute of what @path names. *json is the caller's to free. Returns 0 or a negative errno: -EOPNOTSUPP or
 * -ENODATA where it has none, -EACCES where this name may not be read, -EBADMSG where it is no JSON.
 */
int attribute_read(const char *path, const char *attribute, json_t **json);
