/* The clients of the control socket, each with what it asks for (request.h). */
#pragma once

#include "control-socket.h"
#include "departures.h"

struct client;

struct clients {
	struct context *ctx;
	LIST_HEAD(, client) all;
	struct departures departures;
	char text[CONTROL_MAX]; /* of the request that is being read */
};

void clients_init(struct clients *c, struct context *ctx);

/* Serves who has connected, @confined where it was by the door, or refuses and says why. Takes @fd. */
void clients_welcome(struct clients *c, int fd, bool confined);

/* The end of the daemon: what they have asked for is taken back, and they go. */
void clients_leave(struct clients *c);

/* Once the loop does not run any more. */
void clients_finish(struct clients *c);
