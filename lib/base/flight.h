/*
 * Descriptors that are kept open and stand in no table: they are on their way from the daemon to itself (unix(7),
 * SCM_RIGHTS), in the queue of a socket. Each has its owner with it; first in, first out.
 *
 * The kernel counts them to the real user id of the daemon, which root's shares with nobody (rights_shed()), and bounds
 * them by RLIMIT_NOFILE where it has neither CAP_SYS_ADMIN nor CAP_SYS_RESOURCE. On one thread; nothing blocks.
 */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

struct flight_pair;

struct flight {
	TAILQ_HEAD(flight_pairs, flight_pair) pairs;
	size_t count;
};

void flight_init(struct flight *f);

/*
 * A reference to @fd, of @uid's, goes to the end. @fd stays the caller's, and is not the last reference: to close it
 * waits for nothing. Returns 0 or a negative errno: -EMFILE, -ENOMEM, or -ETOOMANYREFS of sendmsg(2).
 */
int flight_put(struct flight *f, int fd, uid_t uid);

/*
 * The first one, which stays where it is: *fd is another descriptor of it, the caller's. Returns 0, -ENOENT where there
 * is none, or -EMFILE.
 */
int flight_look(const struct flight *f, int *fd, uid_t *uid);

/* The first one goes, of which the caller has a descriptor: so this waits for nothing. */
void flight_drop(struct flight *f);

/* Of what is in flight the end of the process takes care: to close it here might wait. */
void flight_finish(struct flight *f);
