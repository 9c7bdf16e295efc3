/*
 * A socket whose sending is over, kept until its peer has closed: what the peer has sent and nobody reads (the
 * request that a web client makes) would otherwise make the kernel reset the connection, and data that is still
 * on its way would be lost (tcp(7)).
 */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "loop.h"

struct lane;
struct lingering;
TAILQ_HEAD(lingers, lingering);

/*
 * Shuts the sending side of @fd down and takes it. It is closed with its peer, or after LINGER_SECONDS, and waited for
 * by nobody (deferred-close.h). @uid: whose it is. @lane: it is asked by that alone, for somebody else has a copy of it and may
 * make who asks wait; else NULL.
 */
void linger_add(struct lingers *list, struct loop *loop, int fd, uid_t uid, struct lane *lane);

/* Closes them all, once the loop is destroyed. */
void linger_finish(struct lingers *list);

#define LINGER_SECONDS 30u
