/*
 * What an opening has yielded, or somebody has passed: a descriptor, or what a kind of port has made of one. Whoever
 * holds it owns it, and need not know what it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "series.h"

struct deferred_close;
struct file_claim;

struct opened_ops {
	/* Lets go of it, and of its descriptor. On any thread; it may block. */
	void (*close)(void *state);
};

/* Zero but for fd -1: nothing. */
struct opened {
	int fd;                       /* poll(2) works on it, if on anything; -1: nothing is open */
	uint64_t position;            /* of a passed file: where whoever opened it has come to */
	mode_t type;                  /* S_IFMT of its file, */
	uint64_t size;                /* and its size, as they were when it was opened */
	bool local;                   /* of a regular file: who asks for its size waits for nobody */
	bool terminal;                /* it can hang up */
	const struct opened_ops *ops; /* NULL: it is the descriptor and nothing else */
	void *state;                  /* of ops; owns the descriptor */
	struct series_file file;      /* of a regular file that is written: which */
	char *path;                   /* ... where it is one of a series; owned */
	struct file_claim *claim; /* of a file that is written (file-claim.h); NULL: none. Goes as the closing begins */
};

#define OPENED_NONE ((struct opened){ .fd = -1 })

/* Takes it out of *o: the caller owns it, *o is OPENED_NONE. */
static inline struct opened opened_take(struct opened *o)
{
	struct opened taken = *o;

	*o = OPENED_NONE;
	return taken;
}

/*
 * Fills in what file it is. On an opening's thread alone: the file system may be asked, and not answer: statx(2) is told to do
 * without, and that is no promise. Returns 0 or a negative errno.
 */
int opened_look(struct opened *o);

/* Closes it, unless it is OPENED_NONE, which it is afterwards. Never blocks: see deferred-close.h. @uid: who has it. */
void opened_close(struct opened *o, uid_t uid);

/* The same on the calling thread, which it may block. */
void opened_close_here(struct opened *o);

/* As opened_close(); its end is told by @c. Returns false where there was nothing to close: @c is not begun. */
bool opened_close_begin(struct opened *o, struct deferred_close *c);
