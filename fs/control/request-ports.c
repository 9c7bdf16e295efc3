/* What is asked of sources and sinks through the control socket. */
#include "request-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base.h"
#include "deferred-close.h"
#include "json.h"

/* 0: no port has such an id. */
static unsigned request_port_id(json_int_t id)
{
	return id > 0 && id <= UINT_MAX ? (unsigned)id : 0;
}

/* ---- attach ---- */

static void request_attached(struct attach *a)
{
	struct request *r = container_of(a, struct request, attach);

	request_finish(r, a->err < 0 ? json_of_error(a->err, a->why) : json_pack("{so}", "id", json_of_number(a->id)));
}

static void request_attach_late(struct attach *a)
{
	request_late(container_of(a, struct request, attach));
}

static void request_cancel_attach(struct request *r)
{
	attach_cancel(&r->attach);
}

void request_attach(struct request *r, struct node *node)
{
	const char *dir, *uri = NULL;

	if (!request_unpack(r, "{ss s?s}", "dir", &dir, "uri", &uri))
		return;
	if (strcmp(dir, "source") && strcmp(dir, "sink")) {
		request_refuse(r, -EINVAL, "dir is \"source\" or \"sink\"");
		return;
	}
	if (!uri == (r->fd < 0)) {
		request_refuse(r, -EINVAL, uri ? "a URI and a descriptor: which?" : "neither a URI nor a descriptor");
		return;
	}
	r->attach = (struct attach){
		.ctx = r->ctx,
		.node = node,
		.dir = strcmp(dir, "source") ? PORT_SINK : PORT_SOURCE,
		.text = uri,
		.process = r->process,
		.fd = fd_take(&r->fd),
		.done = request_attached,
		.late = request_attach_late,
	};
	if (r->process >= 0) {
		r->attach.process = fcntl(r->process, F_DUPFD_CLOEXEC, 0);
		if (r->attach.process < 0)
			r->attach.process = -errno;
	}
	if (rights_copy(&r->attach.rights, r->rights) < 0) {
		fd_close(&r->attach.process);
		deferred_close(&r->attach.fd, r->view->closer);
		request_refuse(r, -ENOMEM, strerror(ENOMEM));
		return;
	}
	r->cancel = request_cancel_attach;
	attach_start(&r->attach);
}

/* ---- detach, reopen, ports ---- */

static void request_ports_late(struct ports_ask *a)
{
	request_late(container_of(a, struct request, ask));
}

static void request_done(struct ports_ask *a)
{
	struct request *r = container_of(a, struct request, ask);

	request_finish(r, a->err < 0 ? json_of_error(a->err, a->why) : json_object());
}

static void request_cancel_done(struct request *r)
{
	ports_forget(&r->ask);
}

static void request_do(struct request *r, struct node *node, unsigned id,
		       void (*ask)(struct ports_ask *a, const struct rights *r))
{
	r->ask = (struct ports_ask){
		.ctx = r->ctx, .inode = node->inode, .id = id, .done = request_done, .late = request_ports_late
	};
	r->cancel = request_cancel_done;
	ask(&r->ask, r->rights);
}

void request_detach(struct request *r, struct node *node)
{
	json_int_t id;

	if (!request_unpack(r, "{sI}", "id", &id))
		return;
	if (!request_port_id(id))
		request_refuse(r, -EINVAL, "there is no such id of a port");
	else
		request_do(r, node, request_port_id(id), ports_detach);
}

void request_reopen(struct request *r, struct node *node)
{
	json_int_t id = 0;
	bool one = json_object_get(r->json, "id");

	if (!request_unpack(r, "{s?I}", "id", &id))
		return;
	if (one && !request_port_id(id))
		request_refuse(r, -EINVAL, "there is no such id of a port");
	else
		request_do(r, node, request_port_id(id), ports_reopen);
}

static void request_ports_told(struct ports_ask *a)
{
	struct request *r = container_of(a, struct request, ask);

	if (a->err < 0) {
		json_decref(a->ports);
		request_finish(r, json_of_error(a->err, a->why));
	} else {
		request_finish(r, json_pack("{so}", "ports", a->ports));
	}
}

void request_ports(struct request *r, struct node *node)
{
	if (!request_unpack(r, "{}"))
		return;
	r->ask = (struct ports_ask){
		.ctx = r->ctx, .inode = node->inode, .done = request_ports_told, .late = request_ports_late
	};
	ports_tell(&r->ask);
}

/* ---- wait ---- */

static void request_waited(struct port_wait *w)
{
	struct request *r = container_of(w, struct request, wait);
	struct ports_ask *a = &w->ask;
	json_t *answer = a->err < 0 ? json_of_error(a->err, a->why) :
				      json_pack("{sO}", "port", json_array_get(a->ports, 0));

	json_decref(a->ports);
	request_finish(r, answer);
}

static void request_wait_late(struct port_wait *w)
{
	request_late(container_of(w, struct request, wait));
}

static void request_cancel_wait(struct request *r)
{
	port_wait_cancel(&r->wait);
}

void request_wait(struct request *r, struct node *node)
{
	json_int_t id, timeout = -1;

	if (!request_unpack(r, "{sI s?I}", "id", &id, "timeout", &timeout))
		return;
	if (!request_port_id(id) || timeout > INT_MAX) {
		request_refuse(r, -EINVAL,
			       request_port_id(id) ? "the timeout is too long" : "there is no such id of a port");
		return;
	}
	r->wait = (struct port_wait){
		.ask = { .ctx = r->ctx, .inode = node->inode, .id = request_port_id(id) },
		.done = request_waited,
		.late = request_wait_late,
	};
	r->cancel = request_cancel_wait;
	port_wait_start(&r->wait, timeout < 0 ? 0 : (uint64_t)timeout * 1000000 + 1);
}
