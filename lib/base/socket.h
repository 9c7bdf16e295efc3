/* What a socket is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether @fd is one of the file system (unix(7)): what is read from it may bring descriptors. Never blocks. */
bool socket_is_local(int fd);

/*
 * Of a connection of TCP that is over though nobody here has shut it down: the bytes that were sent and the peer's kernel has not
 * acknowledged. The last of them may have come to it all the same; and what it has acknowledged its program need not have read. 0
 * for whatever else @fd is. Never blocks, and takes no lock.
 */
uint64_t socket_unacknowledged(int fd);
