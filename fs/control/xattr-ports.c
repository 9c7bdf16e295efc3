/* spfs.source, spfs.sink, spfs.ports, spfs.detach, spfs.reopen. Who sets one is not kept waiting for longer than XATTR_PATIENCE_NSEC. */
#include "xattrs.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "attach.h"
#include "base.h"
#include "log.h"
#include "ports.h"
#include "reply.h"

struct xattr_attaching {
	struct attach attach;
	fuse_req_t req; /* NULL: answered, it was late */
	struct loop_io timer;
	bool late;
	char uri[];
};

struct xattr_asking {
	struct ports_ask ask;
	fuse_req_t req; /* NULL: answered, it was late */
	size_t size;    /* of the buffer for the answer */
	struct loop_io timer;
};

/* ---- attaching ---- */

static void xattr_attached(struct attach *a)
{
	struct xattr_attaching *r = container_of(a, struct xattr_attaching, attach);

	loop_io_cancel(&r->timer);
	if (r->req) {
		fuse_req_interrupt_func(r->req, NULL, NULL);
		reply_error(r->req, r->late && a->err == -EINTR ? -ETIMEDOUT : a->err);
	}
	free(r);
}

static void xattr_attach_answer_late(struct attach *a)
{
	struct xattr_attaching *r = container_of(a, struct xattr_attaching, attach);

	loop_io_cancel(&r->timer);
	fuse_req_interrupt_func(r->req, NULL, NULL);
	reply_late(&r->req);
}

/* On the FUSE thread, like the reply: @data is there. */
static void xattr_attach_interrupted(fuse_req_t req, void *data)
{
	struct xattr_attaching *r = data;

	attach_cancel(&r->attach);
}

static void xattr_attach_late(struct loop_io *io, int res)
{
	struct xattr_attaching *r = container_of(io, struct xattr_attaching, timer);

	r->late = true;
	log_user_info(fuse_req_ctx(r->req)->uid, "%s takes too long for an attribute; use the command spfs", r->uri);
	attach_cancel(&r->attach);
}

static void xattr_attach(fuse_req_t req, struct node *node, enum port_dir dir, const char *value)
{
	size_t size = strlen(value) + 1;
	struct xattr_attaching *r = calloc(1, sizeof(*r) + size);
	struct context *ctx = context_of(req);

	if (!r || access_rights(req, &r->attach.rights) < 0) {
		free(r);
		reply_error(req, -ENOMEM);
		return;
	}
	memcpy(r->uri, value, size);
	r->req = req;
	r->attach.ctx = ctx;
	r->attach.node = node;
	r->attach.dir = dir;
	r->attach.text = r->uri;
	r->attach.fd = -1;
	r->attach.until = job_deadline();
	/* Its number stays its own until it is answered. */
	r->attach.process = rights_open_process(r->attach.rights.pid);
	r->attach.done = xattr_attached;
	r->attach.late = xattr_attach_answer_late;
	loop_io_init(&r->timer, ctx->loop, xattr_attach_late);
	loop_io_timer(&r->timer, XATTR_PATIENCE_NSEC);
	fuse_req_interrupt_func(req, xattr_attach_interrupted, r);
	attach_start(&r->attach);
}

static void xattr_source_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	xattr_attach(req, node, PORT_SOURCE, value);
}

static void xattr_sink_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	xattr_attach(req, node, PORT_SINK, value);
}

/* ---- questions ---- */

static void xattr_asking_late(struct ports_ask *a)
{
	reply_late(&container_of(a, struct xattr_asking, ask)->req);
}

static struct xattr_asking *xattr_asking_new(fuse_req_t req, struct node *node, void (*done)(struct ports_ask *))
{
	struct xattr_asking *r = calloc(1, sizeof(*r));

	if (!r) {
		reply_error(req, -ENOMEM);
		return NULL;
	}
	r->req = req;
	r->ask.ctx = context_of(req);
	r->ask.inode = node->inode;
	r->ask.done = done;
	r->ask.late = xattr_asking_late;
	return r;
}

static void xattr_ports_told(struct ports_ask *a)
{
	struct xattr_asking *r = container_of(a, struct xattr_asking, ask);

	if (r->req && a->err < 0)
		reply_error(r->req, a->err);
	else if (r->req)
		reply_json(r->req, json_incref(a->ports), r->size, REPLY_ROOM);
	json_decref(a->ports);
	free(r);
}

static void xattr_ports_get(fuse_req_t req, struct node *node, size_t i, size_t size)
{
	struct xattr_asking *r = xattr_asking_new(req, node, xattr_ports_told);

	if (!r)
		return;
	r->size = size;
	ports_tell(&r->ask);
}

/* ---- detaching, reopening ---- */

static void xattr_done(struct ports_ask *a)
{
	struct xattr_asking *r = container_of(a, struct xattr_asking, ask);

	loop_io_cancel(&r->timer);
	if (r->req)
		reply_error(r->req, a->err);
	free(r);
}

/* A port that is detached is off the list, but what it was on takes its time to be closed; or another file to be opened. */
static void xattr_done_late(struct loop_io *io, int res)
{
	struct xattr_asking *r = container_of(io, struct xattr_asking, timer);

	if (r->req)
		log_user_info(fuse_req_ctx(r->req)->uid, "port %u: that is not done yet; the command spfs would wait",
			      r->ask.id);
	reply_late(&r->req);
}

/* A port's id: digits alone. 0 is none. */
static unsigned xattr_parse_id(const char *text)
{
	char *end;
	unsigned long id = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;

	return id == 0 || *end || id > UINT_MAX ? 0 : (unsigned)id;
}

static void xattr_do(fuse_req_t req, struct node *node, unsigned id,
		     void (*ask)(struct ports_ask *a, const struct rights *r))
{
	_cleanup_rights_ struct rights rights = { 0 };
	struct xattr_asking *r = xattr_asking_new(req, node, xattr_done);

	if (!r)
		return;
	if (access_rights(req, &rights) < 0) {
		free(r);
		reply_error(req, -ENOMEM);
		return;
	}
	r->ask.id = id;
	loop_io_init(&r->timer, context_of(req)->loop, xattr_done_late);
	loop_io_timer(&r->timer, XATTR_PATIENCE_NSEC);
	ask(&r->ask, &rights);
}

static void xattr_detach_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	unsigned id = xattr_parse_id(value);

	if (!id)
		reply_refusal(req, node, "spfs.detach", -EINVAL, "a port's id is a number");
	else
		xattr_do(req, node, id, ports_detach);
}

static void xattr_reopen_set(fuse_req_t req, struct node *node, size_t i, const char *value, size_t size)
{
	unsigned id = xattr_parse_id(value);

	if (!id && strcmp(value, "all"))
		reply_refusal(req, node, "spfs.reopen", -EINVAL, "a port's id, or \"all\"");
	else
		xattr_do(req, node, id, ports_reopen);
}

const struct xattr_attribute xattr_ports[] = {
	{ .name = "source", .set = xattr_source_set }, { .name = "sink", .set = xattr_sink_set },
	{ .name = "ports", .get = xattr_ports_get },   { .name = "detach", .set = xattr_detach_set },
	{ .name = "reopen", .set = xattr_reopen_set }, { 0 },
};
