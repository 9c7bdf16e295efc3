/* What is asked of the events of a channel through the control socket: one request, and many answers. */
#include "request-parts.h"

#include <errno.h>
#include <string.h>

#include "base.h"

static void request_watch_began(struct events_watch *w, int err)
{
	struct request *r = container_of(w, struct request, watch);

	if (err < 0) {
		events_stop(w);
		request_refuse(r, err, err == -ETIMEDOUT ? REQUEST_LATE : strerror(-err));
		return;
	}
	r->more(r, json_object());
}

static void request_happened(struct events_watch *w, json_t *event, bool last)
{
	struct request *r = container_of(w, struct request, watch);

	if (!last) {
		r->more(r, event);
		return;
	}
	events_stop(w);
	request_finish(r, event);
}

static void request_cancel_watch(struct request *r)
{
	events_stop(&r->watch);
	request_finish(r, NULL);
}

void request_watch(struct request *r, struct node *node)
{
	int err;

	if (!request_unpack(r, "{}"))
		return;
	r->watch = (struct events_watch){
		.ctx = r->ctx, .node = node, .began = request_watch_began, .happened = request_happened
	};
	err = events_start(&r->watch);
	if (err < 0) {
		request_refuse(r, err, strerror(-err));
		return;
	}
	r->cancel = request_cancel_watch;
}
