/* What is asked of settings and quotas through the control socket. */
#include "request-ops.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "accounts.h"
#include "json.h"
#include "base.h"
#include "ports.h"

/* A channel, or the mount. NULL: refused. */
static struct node *find(struct request *r, const char *path)
{
	if (!path[strspn(path, "/")] && !r->server->left)
		return r->server->nodes.root;
	return request_find(r, path);
}

/* ---- set ---- */

static void was_set(struct settings_ask *a)
{
	struct request *r = container_of(a, struct request, settings);

	request_finish(r, a->err < 0 ? request_error(a->err, a->why) : json_object());
}

/* A string, or what is a number there as well. */
static int add(struct settings_ask *a, const char *name, const json_t *value)
{
	char digits[32];

	if (json_is_string(value) && json_string_length(value) == strlen(json_string_value(value)))
		return settings_add(a, name, json_string_value(value));
	snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return settings_add(a, name, json_is_integer(value) ? digits : "");
}

void request_set(struct request *r)
{
	const char *op, *path, *name;
	json_t *settings, *value;
	json_error_t error;
	struct node *node;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss ss so}", "op", &op, "channel", &path, "settings",
			   &settings) < 0) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	if (!json_object_size(settings)) {
		request_refuse(r, -EINVAL, "settings is an object, of one or more");
		return;
	}
	node = find(r, path);
	if (!node)
		return;
	r->settings = (struct settings_ask){ .server = r->server, .node = node, .done = was_set };
	json_object_foreach(settings, name, value) {
		int err = add(&r->settings, name, value);

		if (err < 0) {
			settings_log(&r->settings);
			request_finish(r, request_error(err, r->settings.why));
			return;
		}
	}
	settings_set(&r->settings, r->rights);
}

/* ---- get ---- */

static json_t *value_json(enum setting_key key, uint64_t value)
{
	char text[SETTING_TEXT_MAX];

	setting_print(key, value, text);
	return settings_table[key].words ? json_string(text) : json_of_number(value);
}

static void was_got(struct settings_ask *a)
{
	struct request *r = container_of(a, struct request, settings);
	json_t *settings;

	if (a->err < 0) {
		request_finish(r, request_error(a->err, a->why));
		return;
	}
	settings = json_object();
	for (int key = 0; key < SETTINGS; key++)
		if (a->has[key])
			json_object_set_new(settings, settings_table[key].name,
					    value_json((enum setting_key)key, a->value[key]));
	request_finish(r, json_pack("{so}", "settings", settings));
}

static bool may_see(const struct request *r, const struct node *node)
{
	return node == r->server->nodes.root || (node_is_tap(node) && node->maker == r->rights->uid) ||
	       ports_may_tell(r->rights, node->inode) == 0;
}

void request_get(struct request *r)
{
	const char *op, *path;
	json_error_t error;
	struct node *node;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss ss}", "op", &op, "channel", &path) < 0) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	node = find(r, path);
	if (!node)
		return;
	if (!may_see(r, node)) {
		request_refuse(r, -EACCES, "no right to read or write the channel");
		return;
	}
	r->settings = (struct settings_ask){ .server = r->server, .node = node, .done = was_got };
	settings_get(&r->settings);
}

/* ---- quota ---- */

void request_quota(struct request *r)
{
	json_t *quotas = accounts_tell(r->server, r->rights);

	request_finish(r, quotas ? json_pack("{so}", "quotas", quotas) : NULL);
}
