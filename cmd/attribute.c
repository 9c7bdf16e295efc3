#include "attribute.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/xattr.h>

/* The text grows with every tap and digit: ask again while it does. */
int attribute_read(const char *path, const char *attribute, json_t **json)
{
	for (;;) {
		ssize_t n = getxattr(path, attribute, NULL, 0);
		size_t room = n < 0 ? 0 : (size_t)n;
		char *text = n < 0 ? NULL : malloc(room + 1);
		int err = n < 0 ? -errno : text ? 0 : -ENOMEM;

		if (err == 0) {
			n = getxattr(path, attribute, text, room);
			err = n < 0 ? -errno : 0;
		}
		if (err == 0) {
			*json = json_loadb(text, (size_t)n, 0, NULL);
			err = *json ? 0 : -EBADMSG;
		}
		free(text);
		if (err != -ERANGE)
			return err;
	}
}
