/* What the files of a rotation share. Nobody else sees this. */
#pragma once

#include "port-file.h"
#include "rotation.h"

static inline struct file_port *rotation_file(const struct rotation *r)
{
	return file_port_of(r->port);
}

/* Whether somebody waits for another file. */
static inline bool rotation_asked(const struct rotation *r)
{
	return !TAILQ_EMPTY(&r->waits);
}

/* ---- rotation-option.c ---- */

/* r->size, interval and keep. */
void rotation_read_options(struct rotation *r, const struct uri *uri);

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
