/* What a channel's ports are asked: to be told about as JSON, and to be detached. */
#pragma once

#include <jansson.h>

#include "port.h"
#include "server.h"

struct report;

/* A question on its way to the channel's worker and back. Zero but for the first part. */
struct ports_ask {
	/* Set before it is asked: */
	struct server *server;
	struct inode *inode; /* the channel; kept until done() */
	unsigned id;         /* of one port; 0: of all */
	/* On the FUSE thread, exactly once, perhaps at once. May free the question. */
	void (*done)(struct ports_ask *a);

	/* The answer: */
	int err;         /* 0 or a negative errno */
	const char *why; /* where @err is set */
	json_t *ports;   /* an array, the asker's own; see spfsd(8) */
	bool ended;      /* the port @id has */

	/* Private: */
	struct job job;
	struct channel *channel;
	struct report *report;
	bool detaches;
	unsigned waiting;          /* for the job to come back, and for the port to be closed */
	struct loop_task detached;
	bool may[2]; /* detach sources, sinks */
};

/* A port as JSON; @name: the path of what it is on, or NULL. On any thread. NULL: out of memory. */
json_t *ports_json(const struct port_report *p, const char *name);

/* ENOENT: the channel has no port @id, or does not remember it any more. ENOMEM. */
void ports_tell(struct ports_ask *a);

/*
 * Whom a source or sink may be detached by: who may attach it, and the channel's owner. ENOENT, EACCES, ENOMEM,
 * logged.
 */
void ports_detach(struct ports_ask *a, const struct rights *r);

/* Whether @r suffice to be told. Returns 0 or -EACCES. */
int ports_may_tell(const struct rights *r, const struct inode *inode);
