/*
 * What all requests have in common is looked at here, by the table of ops: that there is such an op, that the channel is
 * there and may be found by who asks, and that it has no descriptor with it that it has no use for.
 */
#include "request-parts.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "deferred-close.h"
#include "folder.h"
#include "json.h"
#include "log.h"
#include "text.h"

/* What an op is about. */
enum request_about { ABOUT_MOUNT, ABOUT_CHANNEL, ABOUT_EITHER, ABOUT_FOLDER };

static const struct request_op {
	const char *name;
	void (*run)(struct request *r, struct node *node);
	enum request_about about;
	bool tells; /* for those who may be told what goes on in the channel */
	bool takes; /* a descriptor */
} request_ops[] = {
	{ "attach", request_attach, ABOUT_CHANNEL, .takes = true },
	{ "detach", request_detach, ABOUT_CHANNEL },
	{ "reopen", request_reopen, ABOUT_CHANNEL },
	{ "tee", request_tee, ABOUT_CHANNEL },
	{ "ports", request_ports, ABOUT_CHANNEL, .tells = true },
	{ "wait", request_wait, ABOUT_CHANNEL, .tells = true },
	{ "set", request_set, ABOUT_EITHER },
	{ "get", request_get, ABOUT_EITHER },
	{ "flush", request_flush, ABOUT_CHANNEL },
	{ "quota", request_quota, ABOUT_MOUNT },
	{ "watch", request_watch, ABOUT_CHANNEL, .tells = true },
	{ "reload", request_reload, ABOUT_MOUNT },
	{ "enter", request_enter, ABOUT_FOLDER, .takes = true },
};

/* ---- answering ---- */

void request_finish(struct request *r, json_t *answer)
{
	json_decref(r->json);
	r->json = NULL;
	r->cancel = NULL;
	deferred_close(&r->fd, r->view->closer);
	r->done(r, answer);
}

void request_refuse(struct request *r, int err, const char *text)
{
	char why[URI_WHY_MAX];

	uri_why(why, "%s", text);
	log_user_info(r->rights->uid, "control: process %d of user %u: %s", (int)r->rights->pid, r->rights->uid, why);
	request_finish(r, json_of_error(err, why));
}

void request_late(struct request *r)
{
	log_user_info(r->rights->uid, "control: process %d of user %u: %s", (int)r->rights->pid, r->rights->uid,
		      REQUEST_LATE);
	r->late(r, json_of_error(-ETIMEDOUT, REQUEST_LATE));
}

bool request_unpack(struct request *r, const char *format, ...)
{
	json_error_t error;
	va_list ap;
	int err;

	va_start(ap, format);
	err = json_vunpack_ex(r->json, &error, JSON_STRICT, format, ap);
	va_end(ap);
	if (err < 0)
		request_refuse(r, -EINVAL, error.text);
	return err == 0;
}

/* ---- the preamble ---- */

static const struct request_op *request_find_op(const char *name)
{
	for (size_t i = 0; name && i < sizeof(request_ops) / sizeof(request_ops[0]); i++)
		if (!strcmp(name, request_ops[i].name))
			return &request_ops[i];
	return NULL;
}

/* The root of all paths. NULL: refused. */
static struct node *request_root(struct request *r)
{
	struct context *ctx = r->ctx;
	struct node *folder;

	if (!r->view->confined)
		return ctx->nodes.root;
	folder = r->view->folder ? node_get(&ctx->nodes, r->view->folder) : NULL;
	if (folder && folder_is_there(ctx, folder))
		return folder;
	request_refuse(r, r->view->folder ? -ENOENT : -EPERM,
		       r->view->folder ? "the folder is gone" : "who sees a part of the mount shows its folder first");
	return NULL;
}

/* Whether it is about more than who asks may see: refused. */
static bool request_exceeds(struct request *r)
{
	if (r->view->confined)
		request_refuse(r, -EXDEV, "of the whole mount, of which a part alone is to be seen here");
	return r->view->confined;
}

/* What the request is about. NULL: refused. */
static struct node *request_find(struct request *r, const struct request_op *op)
{
	const char *text = json_string_value(json_object_get(r->json, "channel"));
	_cleanup_free_ char *path = text ? strdup(text) : NULL;
	struct node *node = NULL, *root;
	char why[URI_WHY_MAX];
	int err;

	if (!path) {
		request_refuse(r, text ? -ENOMEM : -EINVAL,
			       text ? strerror(ENOMEM) : "\"channel\" is missing, or not a text");
		return NULL;
	}
	text_from_utf8(path);
	root = request_root(r);
	if (!root)
		return NULL;
	if (op->about == ABOUT_EITHER && !path[strspn(path, "/")])
		return request_exceeds(r) ? NULL : root;
	err = access_channel(r->ctx, r->rights, root, path, &node);
	if (err < 0) {
		uri_why(why, "%.100s: %s", *path ? path : "/",
			err == -EISDIR || err == -EINVAL ? "a folder, not a channel" :
			err == -EXDEV                    ? "outside the mount" :
							   strerror(-err));
		request_refuse(r, err, why);
		return NULL;
	}
	if (op->tells && ports_may_tell(r->rights, node->inode) < 0) {
		request_refuse(r, -EACCES, "no right to read or write the channel");
		return NULL;
	}
	return node;
}

void request_start(struct request *r, const char *text, size_t len)
{
	const struct request_op *op;
	struct node *node = NULL;
	json_error_t error;
	json_t *name;

	r->cancel = NULL;
	r->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	name = json_object_get(r->json, "op");
	op = request_find_op(json_string_value(name));
	if (!r->json) {
		request_refuse(r, -EINVAL, error.text);
	} else if (!op) {
		request_refuse(r, -EINVAL,
			       json_is_string(name) ? "there is no such op" : "a request is an object with an \"op\"");
	} else if (r->fd >= 0 && !op->takes) {
		request_refuse(r, -EINVAL, "a descriptor is of use to attach and enter only");
	} else if (r->ctx->leaving) {
		request_refuse(r, -ENOTCONN, strerror(ENOTCONN));
	} else if (op->about == ABOUT_FOLDER || (op->about == ABOUT_MOUNT && !request_exceeds(r)) ||
		   (op->about != ABOUT_MOUNT && (node = request_find(r, op)))) {
		json_object_del(r->json, "op");
		if (node)
			json_object_del(r->json, "channel");
		op->run(r, node);
	}
}

void request_cancel(struct request *r)
{
	if (r->cancel)
		r->cancel(r);
}
