/* What a socket is. */
#pragma once

#include <stdbool.h>

/* Whether @fd is one of the file system (unix(7)): what is read from it may bring descriptors. Never blocks. */
bool socket_is_local(int fd);
