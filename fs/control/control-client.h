/* A client of the control socket: its connection, and the request that it has under way. On the FUSE thread. */
#pragma once

#include "account.h"
#include "client-groups.h"
#include "clients.h"
#include "request.h"

struct reception;

struct client {
	LIST_ENTRY(client) entry;
	struct clients *clients;
	int fd;
	int process; /* who has connected (rights.h); -1: gone */
	struct loop_io io;
	struct rights rights;
	enum client_groups groups; /* of them */
	struct request request;
	struct request_view view;
	struct reception *reception; /* its message is being received */
	bool busy;                   /* with the request */
	bool gone;                   /* to be closed after it */
	struct charge descriptors;
	uint64_t lost;       /* events that it did not take */
	struct loop_io room; /* to tell it so */
};

/*
 * Has a client served, which is on the list from now on. Takes @fd, @rights, of which the groups are yet to be read, and
 * @process (peer.h). Returns 0, or -ENOMEM and takes nothing.
 */
int control_client_start(struct clients *clients, int fd, const struct rights *rights, int process, bool confined);

/* Its groups are known, or @err: they cannot be, and it is told so and goes. May free it. */
void control_client_known(struct client *cl, int err);

/* Takes @answer. Returns 0 or a negative errno. */
int control_client_send(int fd, json_t *answer);

/* The daemon leaves: its request is taken back, and it goes. */
void control_client_leave(struct client *cl);
