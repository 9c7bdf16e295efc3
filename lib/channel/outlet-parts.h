/* What the files of an outlet share; nobody else calls these. */
#pragma once

#include "clock.h"
#include "outlet.h"

/* Who has left is off the pipe's count after this. */
#define OUTLET_LEAVING_NSEC (NSEC_PER_SEC / 100)

/* Takes @fd, which may be -1: IDLE, and nothing is watched. */
void outlet_init_common(struct outlet *o, const struct fifo *fifo, int fd, struct loop *loop,
			void (*changed)(struct outlet *));

/* To @state with @fd, which it takes; the descriptor before is closed. */
void outlet_leave(struct outlet *o, enum outlet_state state, int fd);

/* watch->event: somebody has opened or closed it. @mask: 0, it may have been anything. */
void outlet_visited(struct watch *watch, uint32_t mask);

/* outlet-single.c: its one reader has perhaps left at a stream's end: then HOLDING, with @unread; else he is at that end yet. */
void outlet_single_look(struct outlet *o);
