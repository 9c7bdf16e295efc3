/* What a channel's ports are asked: to be told about as JSON, to be detached, and to go on in another file. */
#pragma once

#include <jansson.h>

#include "hold.h"
#include "port.h"

struct report;

/* A question on its way to the channel's worker and back. Zero but for the first part. */
struct ports_ask {
	/* Set before it is asked: */
	struct context *ctx;
	struct inode *inode; /* the channel; kept until done() */
	unsigned id;         /* of one port; 0: of all */
	/* On the FUSE thread, exactly once, perhaps at once. May free the question. */
	void (*done)(struct ports_ask *a);
	/* The worker is late: whoever waits is to be told ETIMEDOUT; done() follows, some day. */
	void (*late)(struct ports_ask *a);

	/* The answer: */
	int err;         /* 0 or a negative errno: ENOENT, EACCES, ENOMEM, ENOTCONN, ETIMEDOUT */
	const char *why; /* its own or static; never NULL where @err is set */
	json_t *ports;   /* ports_tell()'s: an array, the asker's to free */
	bool ended;      /* the one port of @id has */

	/* Private: */
	struct job job;
	struct hold hold;
	LIST_ENTRY(ports_ask) entry;
	struct report *report;
	struct rights rights; /* who asks that something be done: */
	const char *what;     /* "detach", "reopen"; NULL: nothing */
	bool may[2];          /* by enum port_dir: detach it */
	unsigned at;          /* the sink that is opened anew */
	char text[URI_WHY_MAX];
};

/* @port as JSON; @name: the path of the name that it is on, or NULL. NULL: out of memory. */
json_t *ports_json(const struct port_report *port, const char *name);

void ports_tell(struct ports_ask *a);

/*
 * Whom a source or sink may be detached by: who may attach it, and the channel's owner. Answered once nothing of it is
 * open any more, which may take for ever. ENOENT, EACCES, ENOMEM, logged.
 */
void ports_detach(struct ports_ask *a, const struct rights *r);

/*
 * Has sink @id, or with 0 all that are on files and may be by @r, opened anew (port_reopen()), one after the other. Answered once
 * what comes goes into the new files; by the first that failed. Then also EOPNOTSUPP, and what the opening fails with.
 */
void ports_reopen(struct ports_ask *a, const struct rights *r);

/* The answer to ports_detach() or ports_reopen() is not waited for any more: done() follows soon. */
void ports_forget(struct ports_ask *a);

/* The end of the daemon: nothing of that is waited for any more. */
void ports_leave(struct context *ctx);

/* Whether @r suffice to be told. Returns 0 or -EACCES. */
int ports_may_tell(const struct rights *r, const struct inode *inode);
