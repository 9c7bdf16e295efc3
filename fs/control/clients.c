/*
 * A client counts for its user until its socket is closed. Who is refused is one until then, too: where so many of his
 * closings hang that no more are begun, he stays open, *parked*, until they have become fewer; and while too many are
 * parked, nobody is welcomed.
 */
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accounts.h"
#include "base.h"
#include "control-client.h"
#include "deferred-close.h"
#include "fifo.h"
#include "json.h"
#include "log.h"
#include "peer.h"

/* Whom to close is not possible yet: when to look again, and so many that nobody else is welcomed. */
#define PARKED_NSEC 100000000
#define PARKED_MAX 256

/* Its connection, its process, and what it passes. */
#define CLIENT_DESCRIPTORS 3

/* ---- who goes ---- */

/* Of who was refused. */
static void clients_park(struct client *cl)
{
	struct clients *c = cl->clients;

	if (!deferred_close_crowded(cl->rights.uid)) {
		control_client_close(cl);
		return;
	}
	cl->parked = true;
	c->parked++;
	loop_io_timer(&c->again, PARKED_NSEC);
}

static void clients_look_at_parked(struct loop_io *io, int res)
{
	struct clients *c = container_of(io, struct clients, again);
	struct client *cl, *next;

	for (cl = LIST_FIRST(&c->all); cl; cl = next) {
		next = LIST_NEXT(cl, entry);
		if (!cl->parked || deferred_close_crowded(cl->rights.uid))
			continue;
		cl->parked = false;
		c->parked--;
		control_client_close(cl);
	}
	if (c->parked)
		loop_io_timer(&c->again, PARKED_NSEC);
}

bool clients_full(const struct clients *c)
{
	return c->parked >= PARKED_MAX;
}

/* ---- who comes ---- */

/* Whether one more client, who is on the list already, can be served. */
static int clients_check(struct clients *c, const struct rights *r, int fd)
{
	const struct client *other;
	unsigned all = 0, same = 0;

	LIST_FOREACH(other, &c->all, entry) {
		all++;
		same += other->rights.uid == r->uid;
	}
	if ((all > CONTROL_CLIENTS && r->uid != 0) || same > CONTROL_USER_CLIENTS)
		return -EUSERS;
	/* In a user namespace all the others look alike. */
	if (geteuid() != 0 && r->uid != geteuid())
		return -EPERM;
	return fifo_fd_check(fd);
}

void clients_welcome(struct clients *c, int fd)
{
	struct client *cl = control_client_create(c, fd);
	int err;

	if (!cl) {
		deferred_close(&fd, geteuid());
		return;
	}
	err = peer_rights(fd, &cl->rights, &cl->process);
	if (err == 0)
		err = clients_check(c, &cl->rights, fd);
	if (err == 0) { /* how many there are is bounded, and by one of them a user may find out what to let go of */
		cl->descriptors.account = accounts_of_caller(c->ctx, &cl->rights);
		cl->descriptors.of = ACCOUNT_DESCRIPTORS;
		charge_note(&cl->descriptors, CLIENT_DESCRIPTORS);
	}
	if (err == 0) {
		control_client_start(cl);
		return;
	}
	log_user_info(cl->rights.uid, "control: process %d of user %u is not served: %s", (int)cl->rights.pid,
		      cl->rights.uid, strerror(-err));
	control_client_send(fd, json_of_error(err, err == -EUSERS ? "too many connections to the control socket" :
						   err == -EPERM  ? "this daemon serves only its own user" :
								    strerror(-err)));
	shutdown(fd, SHUT_RDWR);
	clients_park(cl);
}

void clients_init(struct clients *c, struct context *ctx)
{
	c->ctx = ctx;
	LIST_INIT(&c->all);
	loop_io_init(&c->again, ctx->loop, clients_look_at_parked);
}

void clients_leave(struct clients *c)
{
	struct client *cl, *next;

	c->leaving = true;
	loop_io_cancel(&c->again);
	for (cl = LIST_FIRST(&c->all); cl; cl = next) {
		next = LIST_NEXT(cl, entry);
		control_client_leave(cl);
	}
}
