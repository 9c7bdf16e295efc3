/* Opening stream sockets, for kinds of ports that have an address. */
#pragma once

#include <netdb.h>

#include "attempt.h"

/* Does something to a new socket and an address. Returns 0 or a negative errno. */
typedef int (*socket_actor)(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len);

/* Actors: connected, or bound and listening (SO_REUSEADDR); O_NONBLOCK either way. */
int socket_connect(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len);
int socket_listen(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len);

/*
 * Makes attempt->opened of the first address of @list that @actor can do with, a socket of @type. Returns 0, or the
 * last one's error, with no reason written.
 */
int socket_first(struct attempt *a, const struct addrinfo *list, int type, socket_actor actor);

/*
 * The same for every address that @host and uri->service resolve to, with the reason written: @verb ("connect to"),
 * the address and the error; EHOSTUNREACH: @host does not resolve; EINVAL: an unknown service.
 */
int socket_resolve(struct attempt *a, const char *host, int type, const char *verb, socket_actor actor);

/*
 * Of one that somebody else has as well, who may hold its lock: so what is to be set of it is set on this thread. No-op on what is
 * no socket.
 */
void socket_set_up_shared(int fd);
