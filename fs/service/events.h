/* Who watches which channel, and is told what the engine says of it. On the FUSE thread but for events_tell(). */
#pragma once

#include <jansson.h>

#include "hold.h"

struct event;
struct events_starting;

struct events_watch {
	/* Set before events_start(): */
	struct context *ctx;
	struct node *node; /* a name of the channel */
	/*
	 * The worker watches from now on. @err negative: it does not, and events_stop() is due: -ENOMEM; -ETIMEDOUT: it stands;
	 * -ENOENT: the channel is gone. Once, before happened().
	 */
	void (*began)(struct events_watch *w, int err);
	/* Takes @event. @last: the channel is gone, and events_stop() is due. */
	void (*happened)(struct events_watch *w, json_t *event, bool last);

	/* Private: */
	LIST_ENTRY(events_watch) entry;
	struct events_starting *starting; /* NULL: its state was told */
	struct hold hold;
};

/*
 * Watches from a moment on that is soon, when began() is told, and then first what there is ("state"). Returns 0, -ENOMEM,
 * -ENOTCONN, or -EDQUOT of the channel's owner.
 */
int events_start(struct events_watch *w);

/* happened() is not called any more. */
void events_stop(struct events_watch *w);

/* The channel's last name is gone. */
void events_gone(struct context *ctx, const struct inode *inode);

/* For struct engine_events, on a worker's thread; @data is the context. */
void events_tell(void *data, struct channel *ch, const struct event *e);
