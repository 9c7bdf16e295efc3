/* What the two files of a broadcast share: broadcast-await.c has those who are not there yet. Nobody else sees this. */
#pragma once

#include "broadcast.h"

/* He is awaited no more, and his tap goes. */
void broadcast_let_go(struct broadcast *b, struct visitor *v);

/* b->due: the time of some is over. */
void broadcast_is_due(struct loop_io *io, int res);
