#include "request-ops.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "json.h"
#include "deferred-close.h"
#include "base.h"
#include "log.h"
#include "reload.h"

json_t *request_error(int err, const char *why)
{
	return json_pack("{ss so}", "errno", strerrorname_np(-err), "error", json_of_text(why));
}

void request_finish(struct request *r, json_t *answer)
{
	json_decref(r->json);
	r->json = NULL;
	r->cancel = NULL;
	deferred_close(&r->fd, r->rights->uid);
	r->done(r, answer);
}

void request_refuse(struct request *r, int err, const char *text)
{
	char why[URI_WHY_MAX];

	uri_why(why, "%s", text);
	log_info("control: process %d of user %u: %s", (int)r->rights->pid, r->rights->uid, why);
	request_finish(r, request_error(err, why));
}

struct node *request_find(struct request *r, const char *path)
{
	struct node *node = NULL;
	int err = r->server->left ? -ENOTCONN : access_channel(r->server, r->rights, path, &node);
	char why[URI_WHY_MAX];

	if (err == 0)
		return node;
	uri_why(why, "%.100s: %s", *path ? path : "/", err == -EISDIR || err == -EINVAL ? "a folder, not a channel" :
			err == -EXDEV ? "outside the mount" : strerror(-err));
	request_refuse(r, err, why);
	return NULL;
}

static unsigned port_id(json_int_t id)
{
	return id > 0 && id <= UINT_MAX ? (unsigned)id : 0;
}

/* ---- attach ---- */

static void attached(struct attach *a)
{
	struct request *r = container_of(a, struct request, attach);

	request_finish(r, a->err < 0 ? request_error(a->err, a->why) : json_pack("{so}", "id", json_of_number(a->id)));
}

static void cancel_attach(struct request *r)
{
	attach_cancel(&r->attach);
}

static void do_attach(struct request *r)
{
	const char *op, *path, *dir, *uri = NULL;
	struct node *node;
	json_error_t error;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss ss ss s?s}", "op", &op, "channel", &path, "dir", &dir,
			   "uri", &uri) < 0) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	if (strcmp(dir, "source") && strcmp(dir, "sink")) {
		request_refuse(r, -EINVAL, "dir is \"source\" or \"sink\"");
		return;
	}
	if (!uri == (r->fd < 0)) {
		request_refuse(r, -EINVAL, uri ? "a URI and a descriptor: which?" : "neither a URI nor a descriptor");
		return;
	}
	node = request_find(r, path);
	if (!node)
		return;
	r->attach = (struct attach){
		.server = r->server, .node = node, .dir = strcmp(dir, "source") ? PORT_SINK : PORT_SOURCE,
		.text = uri, .fd = fd_take(&r->fd), .done = attached,
	};
	if (rights_copy(&r->attach.rights, r->rights) < 0) {
		deferred_close(&r->attach.fd, r->rights->uid);
		request_refuse(r, -ENOMEM, strerror(ENOMEM));
		return;
	}
	r->cancel = cancel_attach;
	attach_start(&r->attach);
}

/* ---- detach, ports ---- */

static void detached(struct ports_ask *a)
{
	struct request *r = container_of(a, struct request, ask);

	request_finish(r, a->err < 0 ? request_error(a->err, a->why) : json_object());
}

static void do_detach(struct request *r)
{
	const char *op, *path;
	struct node *node;
	json_error_t error;
	json_int_t id;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss ss sI}", "op", &op, "channel", &path, "id", &id) < 0) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	if (!port_id(id)) {
		request_refuse(r, -EINVAL, "there is no such id of a port");
		return;
	}
	node = request_find(r, path);
	if (!node)
		return;
	r->ask = (struct ports_ask){
		.server = r->server, .inode = node->inode, .id = port_id(id), .done = detached,
	};
	ports_detach(&r->ask, r->rights);
}

bool request_may_tell(struct request *r, const struct node *node)
{
	if (ports_may_tell(r->rights, node->inode) == 0)
		return true;
	request_refuse(r, -EACCES, "no right to read or write the channel");
	return false;
}

static void told(struct ports_ask *a)
{
	struct request *r = container_of(a, struct request, ask);

	if (a->err < 0) {
		json_decref(a->ports);
		request_finish(r, request_error(a->err, a->why));
	} else {
		request_finish(r, json_pack("{so}", "ports", a->ports));
	}
}

static void do_ports(struct request *r)
{
	const char *op, *path;
	struct node *node;
	json_error_t error;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss ss}", "op", &op, "channel", &path) < 0) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	node = request_find(r, path);
	if (!node || !request_may_tell(r, node))
		return;
	r->ask = (struct ports_ask){ .server = r->server, .inode = node->inode, .done = told };
	ports_tell(&r->ask);
}

/* ---- wait ---- */

static void waited(struct port_wait *w)
{
	struct request *r = container_of(w, struct request, wait);
	struct ports_ask *a = &w->ask;
	json_t *answer = a->err < 0 ? request_error(a->err, a->why) :
				      json_pack("{sO}", "port", json_array_get(a->ports, 0));

	json_decref(a->ports);
	request_finish(r, answer);
}

static void cancel_wait(struct request *r)
{
	port_wait_cancel(&r->wait);
}

static void do_wait(struct request *r)
{
	json_int_t id, timeout = -1;
	const char *op, *path;
	struct node *node;
	json_error_t error;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss ss sI s?I}", "op", &op, "channel", &path, "id", &id,
			   "timeout", &timeout) < 0) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	if (!port_id(id) || timeout > INT_MAX) {
		request_refuse(r, -EINVAL, port_id(id) ? "the timeout is too long" : "there is no such id of a port");
		return;
	}
	node = request_find(r, path);
	if (!node || !request_may_tell(r, node))
		return;
	r->wait = (struct port_wait){
		.ask = { .server = r->server, .inode = node->inode, .id = port_id(id) }, .done = waited,
	};
	r->cancel = cancel_wait;
	port_wait_start(&r->wait, timeout < 0 ? 0 : (uint64_t)timeout * 1000000 + 1);
}

/* ---- reload ---- */

static void reloaded(void *data, json_t *answer)
{
	request_finish(data, answer);
}

static void do_reload(struct request *r)
{
	const char *op;
	json_error_t error;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss}", "op", &op) < 0)
		request_refuse(r, -EINVAL, error.text);
	else if (r->rights->uid != 0 && r->rights->uid != geteuid())
		request_refuse(r, -EPERM, "reload is for root and the daemon's own user");
	else if (r->server->left)
		request_refuse(r, -ENOTCONN, strerror(ENOTCONN));
	else
		reload_start(r->server, reloaded, r);
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	void (*run)(struct request *r);
} ops[] = {
	{ "attach", do_attach },
	{ "detach", do_detach },
	{ "ports", do_ports },
	{ "wait", do_wait },
	{ "set", request_set },
	{ "get", request_get },
	{ "quota", request_quota },
	{ "watch", request_watch },
	{ "reload", do_reload },
};

void request_start(struct request *r, const char *text, size_t len)
{
	json_error_t error;
	const char *op;

	r->cancel = NULL;
	r->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!r->json) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	op = json_string_value(json_object_get(r->json, "op"));
	for (size_t i = 0; op && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(op, ops[i].name)) {
			if (r->fd >= 0 && ops[i].run != do_attach)
				request_refuse(r, -EINVAL, "a descriptor is of use to attach only");
			else
				ops[i].run(r);
			return;
		}
	request_refuse(r, -EINVAL, op ? "there is no such op" : "a request is an object with an \"op\"");
}

void request_cancel(struct request *r)
{
	if (r->cancel)
		r->cancel(r);
}
