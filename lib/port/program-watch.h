/* A program's port looks at it: what it says, and its end. All on the channel's worker. */
#pragma once

#include "loop.h"
#include "program.h"

/* Zero-valid but for program_watch_init(): there is none. */
struct program_watch {
	struct program *program; /* not owned */
	struct loop_io process, words, errors;
	struct loop_io pause;                   /* between two looks at what it says */
	struct loop_io patience;                /* it is to end */
	void (*moves)(struct program_watch *w); /* it does from now on, though it did not when it began to be watched */
	void (*over)(struct program_watch *w);  /* it has ended, or does not, though it is to: program_look() tells */
};

void program_watch_init(struct program_watch *w, struct loop *loop, void (*moves)(struct program_watch *w),
			void (*over)(struct program_watch *w));

/* From now on, until it has ended. */
void program_watch_start(struct program_watch *w, struct program *program);

/* It has nothing more to do: over() comes soon, whatever it does. */
void program_watch_hurry(struct program_watch *w);

/* Not any more; over() is not called. No-op where it is not watched. */
void program_watch_stop(struct program_watch *w);
