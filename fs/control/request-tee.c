/* A tap, or a broadcast name, asked for through the control socket: with its settings, and never seen with others. */
#include "request-parts.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "json.h"
#include "text.h"

static const char *request_tee_reason(const struct tee_request *t, int err)
{
	return *t->why        ? t->why :
	       err == -EDQUOT ? "beyond the quota of who asks, or of the channel's owner" :
	       err == -ENOENT ? "the channel's origin is gone, or a folder of the name" :
				strerror(-err);
}

static void request_tee_late(struct tee_request *t)
{
	request_late(container_of(t, struct request, tee));
}

static void request_tee_done(struct tee_request *t)
{
	struct request *r = container_of(t, struct request, tee);

	request_finish(r, t->err < 0 ? json_of_error(t->err, request_tee_reason(t, t->err)) : json_object());
}

static int request_tee_settings(struct tee_request *t, json_t *settings)
{
	const char *name;
	json_t *value;
	int err = 0;

	json_object_foreach(settings, name, value) {
		char digits[32] = "";

		if (json_is_integer(value))
			snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		if (err == 0)
			err = tee_set(t, name, json_is_string(value) ? json_string_value(value) : digits);
	}
	return err;
}

static int request_tee_start(struct request *r, const char *name, json_t *settings)
{
	_cleanup_free_ char *path = strdup(name);
	int err = path ? request_tee_settings(&r->tee, settings) : -ENOMEM;

	if (err < 0)
		return err;
	if (!tee_is_allowed(r->rights, r->tee.node->inode))
		return -EACCES;
	text_from_utf8(path);
	err = tee_place(&r->tee, r->rights, path);
	return err == 0 ? tee_start(&r->tee, r->rights) : err;
}

void request_tee(struct request *r, struct node *node)
{
	json_t *settings = NULL;
	const char *name;
	int each = 0, err;

	if (!request_unpack(r, "{ss s?b s?o}", "name", &name, "each", &each, "settings", &settings))
		return;
	if (settings && !json_is_object(settings)) {
		request_refuse(r, -EINVAL, "settings is an object");
		return;
	}
	r->tee = (struct tee_request){
		.ctx = r->ctx,
		.node = node,
		.each = each,
		.done = request_tee_done,
		.late = request_tee_late,
	};
	err = request_tee_start(r, name, settings);
	if (err < 0)
		request_refuse(r, err, request_tee_reason(&r->tee, err));
}
