/* Who is at the other end of a unix socket. */
#pragma once

#include "rights.h"

/*
 * The rights of who has connected, as they were then, and *process (rights.h), or -ESRCH where that has gone; rights_finish()
 * is owed. The capabilities are those that it has now. Returns 0 or a negative errno.
 */
int peer_rights(int socket, struct rights *r, int *process);
