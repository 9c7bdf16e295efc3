#include "xattr-ports.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "json.h"
#include "attach.h"
#include "base.h"
#include "log.h"
#include "ports.h"
#include "xattr.h"

struct attach_request {
	struct attach attach;
	fuse_req_t req;
	struct loop_io timer;
	bool late;
	char uri[];
};

struct ports_request {
	struct ports_ask ask;
	fuse_req_t req;
	size_t size; /* of the buffer for the answer */
};

/* ---- attaching ---- */

static void attached(struct attach *a)
{
	struct attach_request *r = container_of(a, struct attach_request, attach);

	fuse_req_interrupt_func(r->req, NULL, NULL);
	loop_io_cancel(&r->timer);
	fuse_reply_err(r->req, r->late && a->err == -EINTR ? ETIMEDOUT : -a->err);
	free(r);
}

/* On the FUSE thread, like the reply: @data is there. */
static void interrupted(fuse_req_t req, void *data)
{
	struct attach_request *r = data;

	attach_cancel(&r->attach);
}

static void timer_ready(struct loop_io *io, int res)
{
	struct attach_request *r = container_of(io, struct attach_request, timer);

	r->late = true;
	log_info("%s takes too long for an attribute; use the command spfs", r->uri);
	attach_cancel(&r->attach);
}

static void attach(fuse_req_t req, struct node *node, enum port_dir dir, const char *value)
{
	size_t size = strlen(value) + 1;
	struct attach_request *r = calloc(1, sizeof(*r) + size);
	struct server *s = server_of(req);

	if (!r || access_rights(req, &r->attach.rights) < 0) {
		free(r);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	memcpy(r->uri, value, size);
	r->req = req;
	r->attach.server = s;
	r->attach.node = node;
	r->attach.dir = dir;
	r->attach.text = r->uri;
	r->attach.fd = -1;
	r->attach.done = attached;
	loop_io_init(&r->timer, s->loop, timer_ready);
	loop_io_timer(&r->timer, XATTR_PORTS_PATIENCE_NSEC);
	fuse_req_interrupt_func(req, interrupted, r);
	attach_start(&r->attach);
}

void xattr_ports_set_source(fuse_req_t req, struct node *node, const char *value)
{
	attach(req, node, PORT_SOURCE, value);
}

void xattr_ports_set_sink(fuse_req_t req, struct node *node, const char *value)
{
	attach(req, node, PORT_SINK, value);
}

/* ---- questions ---- */

static struct ports_request *request_new(fuse_req_t req, struct node *node, void (*done)(struct ports_ask *))
{
	struct ports_request *r = calloc(1, sizeof(*r));

	if (!r) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	r->req = req;
	r->ask.server = server_of(req);
	r->ask.inode = node->inode;
	r->ask.done = done;
	return r;
}

static void told(struct ports_ask *a)
{
	struct ports_request *r = container_of(a, struct ports_request, ask);

	if (a->err < 0)
		fuse_reply_err(r->req, -a->err);
	else
		json_reply_xattr(r->req, json_incref(a->ports), r->size, XATTR_ROOM);
	json_decref(a->ports);
	free(r);
}

void xattr_ports_get_ports(fuse_req_t req, struct node *node, size_t size)
{
	struct ports_request *r = request_new(req, node, told);

	if (!r)
		return;
	r->size = size;
	ports_tell(&r->ask);
}

static void detached(struct ports_ask *a)
{
	struct ports_request *r = container_of(a, struct ports_request, ask);

	fuse_reply_err(r->req, -a->err);
	free(r);
}

/* A port's id: digits alone. 0 is none. */
static unsigned parse_id(const char *text)
{
	char *end;
	unsigned long id = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;

	return id == 0 || *end || id > UINT_MAX ? 0 : (unsigned)id;
}

void xattr_ports_set_detach(fuse_req_t req, struct node *node, const char *value)
{
	_cleanup_rights_ struct rights rights = { 0 };
	unsigned id = parse_id(value);
	struct ports_request *r;

	if (!id) {
		xattr_refuse(req, node, "spfs.detach", EINVAL, "a port's id is a number");
		return;
	}
	r = request_new(req, node, detached);
	if (!r)
		return;
	if (access_rights(req, &rights) < 0) {
		free(r);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	r->ask.id = id;
	ports_detach(&r->ask, &rights);
}
