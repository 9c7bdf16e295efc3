#include "xattr-settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "settings.h"
#include "xattr.h"

#define PREFIX "spfs."

struct setting_request {
	struct settings_ask ask;
	fuse_req_t req;
	enum setting_key key;
	size_t size; /* of the buffer for the answer */
};

int xattr_settings_find(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) ? -1 : setting_find(name + strlen(PREFIX));
}

static struct setting_request *request_new(fuse_req_t req, struct node *node, enum setting_key key,
					   void (*done)(struct settings_ask *))
{
	struct setting_request *r = calloc(1, sizeof(*r));

	if (!r) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	r->ask = (struct settings_ask){ .server = server_of(req), .node = node, .done = done };
	r->req = req;
	r->key = key;
	return r;
}

static void was_set(struct settings_ask *a)
{
	struct setting_request *r = container_of(a, struct setting_request, ask);

	fuse_reply_err(r->req, -a->err);
	free(r);
}

void xattr_settings_set(fuse_req_t req, struct node *node, enum setting_key key, const char *value)
{
	struct setting_request *r = request_new(req, node, key, was_set);
	_cleanup_rights_ struct rights rights = { 0 };
	int err;

	if (!r)
		return;
	err = settings_add(&r->ask, settings_table[key].name, value);
	if (err < 0)
		settings_log(&r->ask);
	else
		err = access_rights(req, &rights);
	if (err < 0) {
		fuse_reply_err(req, -err);
		free(r);
		return;
	}
	settings_set(&r->ask, &rights);
}

static void was_got(struct settings_ask *a)
{
	struct setting_request *r = container_of(a, struct setting_request, ask);
	char text[SETTING_TEXT_MAX];

	if (a->err < 0) {
		fuse_reply_err(r->req, -a->err);
	} else {
		setting_print(r->key, a->value[r->key], text);
		xattr_reply(r->req, text, strlen(text), r->size, sizeof(text));
	}
	free(r);
}

void xattr_settings_get(fuse_req_t req, struct node *node, enum setting_key key, size_t size)
{
	struct setting_request *r;

	if (!settings_has(server_of(req), node, key)) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	r = request_new(req, node, key, was_got);
	if (!r)
		return;
	r->size = size;
	settings_get(&r->ask);
}

size_t xattr_settings_list(const struct server *s, const struct node *node, char list[XATTR_SETTINGS_LIST_MAX])
{
	size_t len = 0;

	for (int key = 0; key < SETTINGS; key++)
		if (settings_has(s, node, (enum setting_key)key))
			len += (size_t)snprintf(list + len, XATTR_SETTINGS_LIST_MAX - len, PREFIX "%s",
						settings_table[key].name) + 1;
	return len;
}
