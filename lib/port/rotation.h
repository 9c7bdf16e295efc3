/*
 * A rotation: how a file sink goes on from one file to the next, because it was told to (spfs reopen) or because its file is large
 * or old enough (rotate=). Part of a sink on a regular file; all on the channel's worker, which waits for nothing.
 *
 * The next file is opened on a thread of its own, with the rights of who attached the sink, once the old one has all up to a
 * boundary of the channel's records (record.h) and there are bytes behind it: so an idle channel makes no empty files. Meanwhile
 * nothing is written, for a second at most. The old one is synced by the lane and
 * closed by a thread; until that is done there is no third. Where the next cannot be opened, the old one goes on, that is
 * logged once, and it is tried again each retry= seconds.
 */
#pragma once

#include <sys/queue.h>

#include "base.h"
#include "clock.h"
#include "port-ops.h"
#include "uri-option.h"

struct deferred_close;
struct file_port;
struct half;
struct lane;
struct opening;
struct reopening;
struct rotation_wait;

/* rotate=SIZE or rotate=TIME, and keep=N: of the files before the present one, the last N stay. */
extern const struct uri_option file_rotate, file_keep;

/* Zero but for rotation_init(); where that was not called, there is none. */
struct rotation {
	struct port *port;
	uint64_t size;        /* a file is to have; 0: any */
	uint64_t interval;    /* seconds from one to the next; 0: any */
	uint64_t length;      /* of the present file, as the sink knows it */
	uint64_t lead;        /* of that, the prologue before what is the stream's */
	uint64_t led;         /* of all that the sink writes, the first so many bytes are no part of the stream, */
	uint64_t header;      /* ... and so many are not cut */
	uint64_t count;       /* how often it has gone on to another */
	bool due;             /* there is to be another */
	bool failed;          /* which could not be opened; logged */
	bool waited;          /* for long enough, for what is opened or for a boundary */
	bool found;           /* the boundary: */
	size_t before;        /* so many bytes are before it */
	time_t at;            /* by the clock of the day, when the interval is over */
	struct loop_io alarm; /* ... and it is */
	struct loop_io patience;
	struct loop_io again; /* it is tried again */
	struct reopening *opening;
	struct opened next;       /* open, for what comes after the boundary */
	struct series_file *made; /* a ring of those before the present one, which stay; the oldest at @first */
	unsigned keep, first, made_count;
	struct opened old; /* being synced */
	struct loop_io sync;
	struct deferred_close *closing; /* of the old one, until it is closed */

	/* Who have asked for another file, and wait: see port_reopen(). */
	TAILQ_HEAD(, rotation_wait) waits;

	/* The sink may go on, or end. */
	void (*changed)(struct file_port *f);
};

/* Of a sink on a regular file, which has its lane. Returns 0 or -ENOMEM; rotation_finish() is owed either way. */
int rotation_init(struct rotation *r, struct port *p, void (*changed)(struct file_port *f));

/* Lets go of everything but the present file, before the lane goes. Who waits is told. */
void rotation_finish(struct rotation *r);

/*
 * How many of the bytes of @half go into the present file now, until it is to be asked again. 0: none; what comes is the next
 * file's if rotation_ready(), else changed() follows. @begun: some of the half is written.
 */
size_t rotation_share(struct rotation *r, const struct half *half, bool begun);

/* Nothing is in hand: opens another file where somebody waits for that, and it can be begun with. */
void rotation_begin_asked(struct rotation *r);

/* Whether the next file is open. */
static inline bool rotation_ready(const struct rotation *r)
{
	return r->next.fd >= 0;
}

/* Nothing is in hand: whether here may be cut. */
bool rotation_rests(const struct rotation *r);

/*
 * Goes on to the next file, which is ready: port->config.opened is that then. No request may have the old one, which is synced
 * and closed.
 */
void rotation_switch(struct rotation *r);

/* The first bytes have come: the prologue, so many of them, if it is not the stream's own; @header: so many in any case. */
void rotation_set_header(struct rotation *r, size_t led, size_t header);

/* So many bytes are written into the present file before the stream goes on. */
void rotation_lead(struct rotation *r, size_t bytes);

/* So many bytes of the stream were written. */
void rotation_wrote(struct rotation *r, size_t bytes);

/* No file but the present one is being closed. */
static inline bool rotation_quiet(const struct rotation *r)
{
	return !r->port || (r->old.fd < 0 && !r->closing);
}

/* The present file's. */
const char *rotation_path(const struct rotation *r);

/* As port_reopen(), and port_reopen_forget(). */
int rotation_reopen(struct rotation *r, void (*reopened)(void *data, int err, const char *why), void *data);
void rotation_forget(struct rotation *r, const void *data);
