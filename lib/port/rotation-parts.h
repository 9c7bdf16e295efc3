/* What the files of a rotation share. Nobody else sees this. */
#pragma once

#include "port-file.h"
#include "rotation.h"

/* It is not waited for longer than this for the end of a record that does not come. */
#define RECORD_NSEC (NSEC_PER_SEC / 5)

static inline struct file_port *rotation_file(const struct rotation *r)
{
	return file_port_of(r->port);
}

/* Whether nothing of the stream is in the present file. */
static inline bool rotation_is_empty(const struct rotation *r)
{
	return r->length == r->lead || (r->header && r->port->bytes <= r->header);
}

/* Whether somebody waits for another file. */
static inline bool rotation_asked(const struct rotation *r)
{
	return !TAILQ_EMPTY(&r->waits);
}

/* ---- rotation-option.c ---- */

/* r->size, interval and keep. */
void rotation_read_options(struct rotation *r, const struct uri *uri);

/* ---- rotation.c ---- */

/* Bytes have come: the clock of the day may have been set since the alarm was, which is heard of later, or has been set back. */
void rotation_look_at_clock(struct rotation *r);

/* ---- rotation-next.c ---- */

/* Opens the next file, if it is due, and may be opened now. */
void rotation_begin(struct rotation *r);

/* r->again: it may be tried again. */
void rotation_again(struct loop_io *io, int res);

/*
 * Tells the first who waits, whom there was another file for. What comes of his is nothing to the next, who may have asked after
 * it was opened.
 */
void rotation_answer(struct rotation *r, int err, const char *why);
