/*
 * A listening port: what kinds of ports name of it in their rows, and what its files share. Its clients are in
 * port-client.c.
 */
#pragma once

#include "base.h"
#include "port-ops.h"
#include "stream.h"
#include "uri-option.h"

extern const struct port_ops port_listen_source, port_listen_sink;

/* What becomes of a client of a sink that does not keep up, and the seconds that it may hold the others back. */
enum listen_slow { LISTEN_SLOW_DISCONNECT, LISTEN_SLOW_DROP, LISTEN_SLOW_BLOCK };
extern const struct uri_option listen_slow, listen_grace;

struct listen_port;

struct client {
	TAILQ_ENTRY(client) entry;
	struct listen_port *port;
	struct stream stream;
	struct loop_io timer;
	uint64_t seen;           /* bytes sent when the timer was set */
	uint64_t lost;           /* bytes dropped for it, as last seen: its tap goes before it does */
	uint64_t unacknowledged; /* bytes sent that it has not got, since its connection has failed */
	int fd;
	int pipe;
	uint64_t tap;
	struct charge descriptors;
};

struct listen_port {
	struct port port;
	struct loop_io acceptable;
	struct loop_io pause;
	struct channel *relay; /* a sink's on a tap */
	int shut;    /* the negative errno of a socket that accepts no more: it ends so with its last client; or 0 */
	bool ending; /* a source's: the stream of the last connection is not over */
	TAILQ_HEAD(, client) clients;
	uint64_t accepted, connected, disconnected;
};

static inline struct listen_port *listen_port_of(struct port *p)
{
	return container_of(p, struct listen_port, port);
}

/* What a sink's clients read. */
static inline struct channel *listen_port_channel(const struct listen_port *lp)
{
	return lp->relay ? lp->relay : lp->port.channel;
}

/* Serves the connection @fd, which is the client's from now on. Returns 0 or a negative errno. */
int client_serve(struct listen_port *lp, int fd);

/*
 * Of a source: takes no more from the connection. Returns whether something that was taken is still to be handed on: that is done,
 * and the client ends by itself; the connection goes before. Otherwise nothing is lost by client_destroy().
 */
bool client_rest(struct client *c);

/* Lets go of the connection, whatever is on its way. */
void client_destroy(struct client *c);

/*
 * What follows from a client's end, or from there being none yet. A channel that is dead can give and take nothing
 * more, a port that is detached takes nothing, and none comes to a socket that listens no more: the last client's end is the
 * port's.
 */
void listen_port_go_on(struct listen_port *lp);
