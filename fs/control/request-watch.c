/* What is asked of the events of a channel through the control socket: one request, and many answers. */
#include "request-ops.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "tee.h"

static void happened(struct events_watch *w, json_t *event, bool last)
{
	struct request *r = container_of(w, struct request, watch);

	if (!last) {
		r->more(r, event);
		return;
	}
	events_stop(w);
	request_finish(r, event);
}

static void cancel(struct request *r)
{
	events_stop(&r->watch);
	request_finish(r, NULL);
}

void request_watch(struct request *r)
{
	const char *op, *path;
	struct node *node;
	json_error_t error;
	int err;

	if (json_unpack_ex(r->json, &error, JSON_STRICT, "{ss ss}", "op", &op, "channel", &path) < 0) {
		request_refuse(r, -EINVAL, error.text);
		return;
	}
	node = request_find(r, path);
	if (!node || !request_may_tell(r, node))
		return;
	err = tee_channel(r->server, node);
	r->watch = (struct events_watch){
		.server = r->server, .inode = node->inode, .channel = node->inode->channel, .happened = happened,
	};
	if (err == 0)
		err = events_start(&r->watch);
	if (err < 0) {
		request_refuse(r, err, strerror(-err));
		return;
	}
	r->cancel = cancel;
	r->more(r, json_object());
}
