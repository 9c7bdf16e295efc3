/* The clients of the control socket, each with what it asks for (request.h). */
#pragma once

#include "control-socket.h"

struct client;

struct clients {
	struct context *ctx;
	LIST_HEAD(, client) all;
	char text[CONTROL_MAX]; /* of the request that is being read */
};

/* Serves who has connected, or refuses and says why. Takes @fd. */
void clients_welcome(struct clients *c, int fd);

/* The end of the daemon: what they have asked for is taken back, and they go. */
void clients_leave(struct clients *c);
