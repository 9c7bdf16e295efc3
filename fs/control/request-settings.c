/* What is asked of settings through the control socket. */
#include "request-parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "json.h"

/* ---- set ---- */

static void request_settings_late(struct settings_ask *a)
{
	request_late(container_of(a, struct request, settings));
}

static void request_settings_set(struct settings_ask *a)
{
	struct request *r = container_of(a, struct request, settings);

	request_finish(r, a->err < 0 ? json_of_error(a->err, a->why) : json_object());
}

/* A string, or what is a number there as well. */
static int request_settings_add(struct settings_ask *a, const char *name, const json_t *value)
{
	char digits[32];

	if (json_is_string(value))
		return settings_add(a, name, json_string_value(value), json_string_length(value));
	snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (!json_is_integer(value))
		*digits = '\0';
	return settings_add(a, name, digits, strlen(digits));
}

static void request_settings_begin(struct request *r, struct node *node, void (*done)(struct settings_ask *))
{
	r->settings = (struct settings_ask){
		.ctx = r->ctx,
		.node = node,
		.user = r->rights->uid,
		.done = done,
		.late = request_settings_late,
	};
}

void request_set(struct request *r, struct node *node)
{
	json_t *settings, *value;
	const char *name;

	if (!request_unpack(r, "{so}", "settings", &settings))
		return;
	if (!json_object_size(settings)) {
		request_refuse(r, -EINVAL, "settings is an object, of one or more");
		return;
	}
	request_settings_begin(r, node, request_settings_set);
	json_object_foreach(settings, name, value) {
		int err = request_settings_add(&r->settings, name, value);

		if (err < 0) {
			settings_log(&r->settings);
			request_finish(r, json_of_error(err, r->settings.why));
			return;
		}
	}
	settings_set(&r->settings, r->rights);
}

void request_flush(struct request *r, struct node *node)
{
	if (!request_unpack(r, "{}"))
		return;
	request_settings_begin(r, node, request_settings_set);
	settings_flush(&r->settings, r->rights);
}

/* ---- get ---- */

static bool request_knows(const struct settings_ask *a, int key)
{
	return key != SETTING_SIZE || !a->size_unknown;
}

static void request_settings_got(struct settings_ask *a)
{
	struct request *r = container_of(a, struct request, settings);
	json_t *settings;

	if (a->err < 0) {
		request_finish(r, json_of_error(a->err, a->why));
		return;
	}
	settings = json_object();
	for (int key = 0; key < SETTINGS; key++)
		if (a->has[key])
			json_object_set_new(settings, settings_table[key].name,
					    request_knows(a, key) ?
						    json_of_setting((enum setting_key)key, a->value[key]) :
						    json_null());
	request_finish(r, json_pack("{so}", "settings", settings));
}

static bool request_may_see(const struct request *r, const struct node *node)
{
	return node == r->ctx->nodes.root || (node_is_tap(node) && node->maker == r->rights->uid) ||
	       ports_may_tell(r->rights, node->inode) == 0;
}

void request_get(struct request *r, struct node *node)
{
	if (!request_unpack(r, "{}"))
		return;
	if (!request_may_see(r, node)) {
		request_refuse(r, -EACCES, "no right to read or write the channel");
		return;
	}
	request_settings_begin(r, node, request_settings_got);
	settings_get(&r->settings);
}
