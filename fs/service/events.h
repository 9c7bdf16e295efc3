/* Who watches which channel, and is told what the engine says of it. On the FUSE thread but for events_tell(). */
#pragma once

#include <jansson.h>

#include "server.h"

struct event;

struct events_watch {
	/* Set before events_start(): */
	struct server *server;
	struct inode *inode;
	struct channel *channel;
	/* Takes @event. @last: the channel is gone, and events_stop() is due. */
	void (*happened)(struct events_watch *w, json_t *event, bool last);

	/* Private: */
	LIST_ENTRY(events_watch) entry;
};

/* Watches from now on. Returns 0 or -ENOMEM. */
int events_start(struct events_watch *w);

/* happened() is not called any more. */
void events_stop(struct events_watch *w);

/* The channel's last name is gone. */
void events_gone(struct server *s, const struct inode *inode);

/* For struct engine_events, on a worker's thread. */
void events_tell(void *server, struct channel *ch, const struct event *e);
