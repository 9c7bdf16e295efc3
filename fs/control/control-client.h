/* A client of the control socket: its connection, and the request that it has under way. On the FUSE thread. */
#pragma once

#include "account.h"
#include "clients.h"
#include "request.h"

struct deferred_close;
struct reception;

struct client {
	LIST_ENTRY(client) entry;
	struct clients *clients;
	int fd;
	int process; /* who has connected (rights.h); -1: gone */
	struct loop_io io;
	struct rights rights;
	struct request request;
	struct reception *reception; /* its message is being received */
	bool busy;                   /* with the request */
	bool gone;                   /* to be closed after it */
	bool parked;                 /* to be closed later */
	struct deferred_close *closing;
	struct charge descriptors;
	uint64_t lost;       /* events that it did not take */
	struct loop_io room; /* to tell it so */
};

/* A client with @fd, which it takes, and with whom nothing is begun. NULL: out of memory. */
struct client *control_client_create(struct clients *clients, int fd);

/* Has it served. */
void control_client_start(struct client *cl);

/* Takes @answer. Returns 0 or a negative errno. */
int control_client_send(int fd, json_t *answer);

/* Closes its socket, and frees it once that is closed; or at once, where nobody counts any more. */
void control_client_close(struct client *cl);

/* The same once its request is taken back. */
void control_client_drop(struct client *cl);

/* The daemon leaves: the same, and nothing is waited for. */
void control_client_leave(struct client *cl);
