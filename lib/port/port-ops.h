/*
 * A port as those see it that move its bytes: one struct port_ops each. A kind of port (kinds.h) names in its row which
 * of them may come of it; the rest of lib/port and all of its users know neither.
 *
 * The calls nest thus: init, start, then report any number of times, with name_gone and stream_over in between, until
 * the port ends by itself (port_end) or is stopped, and finish.
 */
#pragma once

#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "ends.h"
#include "inlet.h"
#include "port.h"

struct port;
struct stream;
struct deferred_close;

/*
 * Descriptors that a port may come to have open beside its private tap: what it is attached to, its end of the channel,
 * two pipes between them, and a lane (lane.h), which it may share with others of its user's.
 */
#define PORT_DESCRIPTORS 7

/* ... and, of one that can be opened anew, the file before and the one to come. */
#define PORT_DESCRIPTORS_REOPENED 2

struct port_ops {
	const char *how; /* for the report */
	size_t size;     /* of the kind's structure, which begins with its struct port */
	unsigned dirs;   /* PORT_DIR_BIT()s (uri-option.h) */
	bool late;       /* a source that has an inlet only while a peer is there: it opens it itself */

	/* Whether it can move what is behind @o. Not asked to block. */
	bool (*fits)(const struct opened *o);

	/*
	 * The structure is zero but for @port, which has its descriptors: readies it. Returns 0 or a negative errno;
	 * finish() follows either way, and never without it.
	 */
	int (*init)(struct port *p);
	/* Its turn has come: moves from now on, until it calls port_end(). */
	void (*start)(struct port *p);
	/*
	 * Moves no more, and gives back what it has in hand. Returns false where that takes a moment: then it calls
	 * port_stopped(); and port_close() before, where it needs the descriptor no longer, for who detaches it waits.
	 */
	bool (*stop)(struct port *p);
	/* Lets go of everything at once; no callback follows. */
	void (*finish)(struct port *p);
	/* Adds to what port.c fills in; may be NULL. Returns 0 or -ENOMEM. */
	int (*report)(struct port *p, struct port_report *r);
	/* A sink's: see port_reopen(), which has found that it may be asked. NULL: it has nothing that can be opened anew. */
	int (*reopen)(struct port *p, void (*reopened)(void *data, int err, const char *why), void *data);
	void (*reopen_forget)(struct port *p, const void *data);
	/* A sink's tap that may hold the writer back; NULL: the port's. May return NULL. */
	const struct tap *(*holder)(const struct port *p);
	/* A sink's name has been removed; NULL: the end of its FIFO says so. */
	void (*name_gone)(struct port *p);
	/* A stream of the channel is over, perhaps its last (channel->dead); may be NULL. */
	void (*stream_over)(struct port *p);
};

/* The ports of a channel, which hang on it from the first attaching on (port-list.c). */
struct port_list {
	struct channel_ends ends;
	TAILQ_HEAD(, port) ports;   /* by number */
	TAILQ_HEAD(, port) leaving; /* detached ports that still stop, or are being closed */
	unsigned last;              /* the number of the latest */
};

struct port {
	const struct port_ops *ops;
	struct channel *channel;
	struct port_list *list;
	TAILQ_ENTRY(port) entry;
	unsigned id;
	enum port_state state;
	int err;
	bool over;                      /* it has left the channel; its state tells so once it is closed as well */
	int result;                     /* of its end: 0 or a negative errno */
	char why[URI_WHY_MAX];          /* more than the errno says; "": there is no more */
	bool leaving;                   /* detached: on the other list */
	bool closes;                    /* that has begun */
	struct deferred_close *closing; /* NULL: all of it is closed */
	bool told;                      /* that it has been detached */
	void (*detached)(void *data);   /* see port_detach(); NULL: nobody waits */
	void *detached_data;
	struct port_config config;
	struct charge descriptors; /* until it is closed */
	struct inlet inlet;        /* a source's */
	int pipe;                  /* a sink's: where it reads */
	uint64_t tap;              /* a sink's: its tap, private or the name's; 0: none */
	bool first;                /* nobody has read that before, so it gets the prologue */
	uint64_t bytes;
	uint64_t total;
	uint64_t pages_ref;
	uint64_t copies;
	uint64_t lost;     /* bytes; when the port goes they are the channel's */
	uint64_t tap_lost; /* see port_tap_lost() */
	bool copying;      /* how it has moved last */
};

/* The port has come to its end by itself: 0 or a negative errno. finish() is called, its descriptor is closed. */
void port_end(struct port *p, int err);

/*
 * The port has failed (@err), but has not ended: what it does then, @doing ("connecting"), it does again when @timer, which
 * is its own and not armed, fires. Who succeeds says that it runs again.
 */
void port_retry(struct port *p, int err, const char *doing, struct loop_io *timer);

/* What is told of its failure, @err. */
static inline const char *port_reason(const struct port *p, int err)
{
	return *p->why ? p->why : strerror(-err);
}

/* What ops->stop() had to wait for is done. May free the port. */
void port_stopped(struct port *p);

/* The descriptor is not needed any more; nothing may be armed on it from now on. */
void port_close(struct port *p);

/* The sink's pipe is empty, and it has nothing in hand: the end of the stream may be seen now. */
void port_drained(struct port *p);

/* A sink's private tap. NULL: it reads a name, or that has gone. */
struct tap *port_own_tap(const struct port *p);

/* That does not end while it is held, for its sink has something in hand that it may give back. No-op where there is none. */
void port_hold_tap(const struct port *p, bool held);

/* What its private tap has lost, now or as last seen: that goes before its sink does. */
uint64_t port_tap_lost(struct port *p);

/* Its tap that holds the writer back, private or its name's; NULL: none does. */
const struct tap *port_holder(const struct port *p);

/* By reference, and by one call that copied. */
void port_moved(struct port *p, size_t bytes);
void port_copied(struct port *p, size_t bytes);

/* Of a source: not 0 where it is to copy what it reads (spfs.stable), looked at for each fill. NULL for a sink. */
const uint64_t *port_stable(const struct port *p);

/* Takes over what @s has counted, for it ends or begins anew. */
void port_count(struct port *p, struct stream *s);

/* The connection @socket, which was the port's alone, has failed: what has not come to the peer's kernel is lost, and logged. */
void port_lose_unacknowledged(struct port *p, int socket);

/* For ops->report(): what @s has counted so far. */
void port_report_stream(struct port_report *r, const struct stream *s);

/* Whether the socket @fd is a stream's: one that listens, or one that does not. */
bool port_look_stream(int fd, bool listens);

/* ---- for the files port-*.c that are no kinds ---- */

/* The list of the channel's ports; NULL: nothing was ever attached. */
struct port_list *port_list_of(const struct channel *ch);

/* ... made where there is none. NULL: out of memory. */
struct port_list *port_list_make(struct channel *ch);

/* NULL: there is none. */
struct port *port_list_find(const struct port_list *list, unsigned id);

/* What is to close it when its end comes; made at once, so that no end fails for memory. NULL: out of memory. */
struct deferred_close *port_closing(struct port *p);

/* Frees it, whatever it does, and takes nothing off a list. */
void port_destroy(struct port *p);

/* The oldest of too many ended ports is forgotten. */
void port_forget_old(struct port_list *list);

/* The first source that has not ended plays. */
void port_next_source(struct port_list *list);

/* On the channel's worker. Returns 0 or -ENOMEM; port_report_finish() is owed either way. */
int port_report(struct port *p, struct port_report *r);
