/*
 * A port: one end of a channel that the daemon drives. A source fills the origin, a sink drains a name.
 *
 * A source is a writer: it has an inlet while it plays. Sources play one after the other, in the order of their
 * attaching. A sink on a tap is a reader of that tap's FIFO; on the origin it has a tap of its own, without a
 * name. So a sink is a reader as any other: durable, with back-pressure, and the end of the stream ends it.
 *
 * All on the channel's worker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "opened.h"
#include "owner-limits.h"
#include "rights.h"
#include "uri.h"

struct channel;

/* What is attached. All of it is the port's after a successful port_attach(). */
struct port_config {
	enum port_dir dir;
	struct uri uri;
	struct rights rights; /* for connecting again */
	dev_t mount;          /* see opener.h */
	struct opened opened;
	uint64_t node;        /* a sink's name: the origin's node or a tap's */
	bool holds;           /* who attaches may hold the channel's writer back: has the right to write it */
	struct limits limits; /* of its private taps, and who is charged for them and its buffer */
};

/*
 * Attaches what an opening has opened, or a descriptor that somebody passed. Never blocks. Returns 0 with the
 * port's number in *id, or a negative errno with the reason in @why and @config still the caller's: EINVAL (the
 * descriptor cannot be read or written, or is of no use), EMFILE, ENOMEM, ENOENT (the name has gone).
 */
int port_attach(struct channel *ch, struct port_config *config, unsigned *id, char why[URI_WHY_MAX]);

/*
 * Ends a port and takes it off the list, running or not. What a sink has not moved stays in its name. Returns -ENOENT,
 * or 0 and then calls @detached, exactly once, perhaps within this call: when nothing of the port is open any more, and
 * no request in the kernel holds its file. That may take for ever (a file system that hangs, SO_LINGER): nothing else
 * waits meanwhile, and port_detach_forget() or the channel's end call @detached before.
 */
int port_detach(struct channel *ch, unsigned id, void (*detached)(void *data), void *data);

/*
 * Who has detached port @id with @data waits no more: calls detached() now, if it is still to come. No-op for anybody else,
 * who was told -ENOENT.
 */
void port_detach_forget(struct channel *ch, unsigned id, const void *data);

/*
 * Has the path of a file sink opened anew, with the rights of who attached it: what comes goes there, from the next boundary of
 * its records on, and the file before is synced and closed, whatever its name is by now. Nothing is emptied. Returns 0 and then
 * calls @reopened, exactly once, perhaps within this call: with 0, where the path names the same file as well; or with a negative
 * errno and the reason, and the old file goes on. Or -ENOENT (no such port, or it has ended), -EOPNOTSUPP (it has no path
 * that can be opened anew)
 * or -EACCES (@who is neither root nor who attached it).
 */
int port_reopen(struct channel *ch, unsigned id, const struct rights *who,
		void (*reopened)(void *data, int err, const char *why), void *data);

/* Who waits with @data does so no more: is told now, if still to be told. */
void port_reopen_forget(struct channel *ch, const void *data);

/* The first port with a greater number than @after that @who can have opened anew; 0: there is none. */
unsigned port_reopen_next(struct channel *ch, unsigned after, const struct rights *who);
