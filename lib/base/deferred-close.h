/* Closing what may wait: what others have passed to the daemon, and a pipe that a splice under way has locked. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Closes *fd, unless it is -1, on a thread of its own, and makes it -1. For the last close of a descriptor can take
 * for ever: a file system that hangs is told of it (this one too, by the thread that serves it), a socket may
 * linger (SO_LINGER). @uid: who has passed it.
 */
void deferred_close(int *fd, uid_t uid);

/* Whether so many closings of @uid's have not come to an end that no more descriptors should be taken. */
bool deferred_close_crowded(uid_t uid);
