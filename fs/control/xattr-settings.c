/* The settings as attributes, "spfs." and the name; the place in the table is the setting's key. And spfs.flush. */
#include "xattrs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "prologue.h"
#include "reply.h"
#include "settings.h"

struct xattr_setting {
	struct settings_ask ask;
	fuse_req_t req; /* NULL: answered, it was late */
	enum setting_key key;
	size_t size; /* of the buffer for the answer */
};

static void xattr_settings_late(struct settings_ask *a)
{
	reply_late(&container_of(a, struct xattr_setting, ask)->req);
}

static struct xattr_setting *xattr_setting_new(fuse_req_t req, struct node *node, size_t i,
					       void (*done)(struct settings_ask *))
{
	struct xattr_setting *x = calloc(1, sizeof(*x));

	if (!x) {
		reply_error(req, -ENOMEM);
		return NULL;
	}
	x->ask = (struct settings_ask){
		.ctx = context_of(req),
		.node = node,
		.user = fuse_req_ctx(req)->uid,
		.done = done,
		.late = xattr_settings_late,
	};
	x->req = req;
	x->key = (enum setting_key)i;
	return x;
}

static bool xattr_settings_has(const struct context *ctx, const struct node *node, size_t i)
{
	return settings_has(ctx, node, (enum setting_key)i);
}

static void xattr_settings_was_set(struct settings_ask *a)
{
	struct xattr_setting *x = container_of(a, struct xattr_setting, ask);

	if (x->req)
		reply_error(x->req, a->err);
	free(x);
}

static void xattr_settings_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	struct xattr_setting *x = xattr_setting_new(req, node, i, xattr_settings_was_set);
	_cleanup_rights_ struct rights rights = { 0 };
	int err;

	if (!x)
		return;
	err = settings_add(&x->ask, settings_table[i].name, value, size);
	if (err < 0)
		settings_log(&x->ask);
	else
		err = access_rights(req, &rights);
	if (err == 0) {
		settings_set(&x->ask, &rights);
		return;
	}
	reply_error(req, err);
	free(x->ask.prologue);
	free(x);
}

static void xattr_flush_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	struct xattr_setting *x = xattr_setting_new(req, node, 0, xattr_settings_was_set);
	_cleanup_rights_ struct rights rights = { 0 };
	int err;

	if (!x)
		return;
	err = access_rights(req, &rights);
	if (err == 0) {
		settings_flush(&x->ask, &rights);
		return;
	}
	reply_error(req, err);
	free(x);
}

const struct xattr_attribute xattr_flush[] = {
	{ .name = "flush", .set = xattr_flush_set, .bytes = true },
	{ 0 },
};

static void xattr_settings_got(struct settings_ask *a)
{
	struct xattr_setting *x = container_of(a, struct xattr_setting, ask);
	char text[SETTING_TEXT_MAX];

	if (!x->req) {
		free(x);
		return;
	}
	if (a->err < 0 || (x->key == SETTING_SIZE && a->size_unknown)) {
		reply_error(x->req, a->err < 0 ? a->err : -ETIMEDOUT);
	} else if (x->key == SETTING_PROLOGUE && a->prologue) {
		reply_xattr(x->req, a->prologue, prologue_size(a->value[x->key]), x->size, 0);
	} else {
		setting_print(x->key, a->value[x->key], text);
		reply_xattr(x->req, text, strlen(text), x->size, sizeof(text));
	}
	free(x);
}

static void xattr_settings_get(fuse_req_t req, struct node *node, size_t i, size_t size)
{
	struct xattr_setting *x = xattr_setting_new(req, node, i, xattr_settings_got);

	if (!x)
		return;
	x->size = size;
	settings_get(&x->ask);
}

static struct xattr_attribute xattr_settings_table[SETTINGS + 1];

static void xattr_settings_fill(void)
{
	for (int key = 0; key < SETTINGS; key++)
		xattr_settings_table[key] = (struct xattr_attribute){
			.name = settings_table[key].name,
			.has = xattr_settings_has,
			.get = xattr_settings_get,
			.set = xattr_settings_set,
			.stays = "a setting can be set, not removed",
			.anywhere = true,
			.bytes = key == SETTING_PROLOGUE,
		};
}

const struct xattr_attribute *xattr_settings(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, xattr_settings_fill);
	return xattr_settings_table;
}
