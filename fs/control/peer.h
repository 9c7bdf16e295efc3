/* Who is at the other end of a unix socket. */
#pragma once

#include "rights.h"

/*
 * The rights of who has connected, as they were then, but for the supplementary groups, and *process (rights.h), or -ESRCH where
 * that has gone; rights_finish() is owed. The capabilities are those that it has now. Bounded work. Returns 0 or a negative errno.
 */
int peer_rights(int socket, struct rights *r, int *process);

/* How many supplementary groups they are in. Bounded work. Returns a negative errno of getsockopt(2) where it fails. */
ssize_t peer_count_groups(int socket);

/*
 * Fills in the supplementary groups, as they were when who has them connected. Takes the longer, the more there are, up to 65536,
 * and waits for nobody. Returns 0, -ENOMEM or a negative errno of getsockopt(2).
 */
int peer_groups(int socket, struct rights *r);
