/*
 * Turns: work of the FUSE thread that grows with what users have made. It is done a part at a time, and others are served
 * in between. So what is gone through may change meanwhile: who does it keeps nothing from one step to the next but
 * numbers, and what it holds.
 */
#pragma once

#include "loop.h"

/* What is looked at before others have a turn: names, folders on the way to them, and the like. */
#define TURNS_THINGS 256

/* Embedded in what it is about. Zero but for the first part. */
struct turns {
	/* Set before turns_start(): */
	struct loop *loop;
	/* Does a little, and returns how many things it has looked at, 1 at least; or 0: it is through. */
	unsigned (*step)(struct turns *t);
	void (*done)(struct turns *t); /* after that, exactly once; may free it */

	struct loop_task task; /* private */
};

/* On the loop's thread. Nothing is done within the call. */
void turns_start(struct turns *t);
