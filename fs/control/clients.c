/*
 * A client counts for its user until its connection goes. Who is refused is told why, and goes at once: what becomes of the
 * connection is departures.h's.
 */
#include "clients.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "control-client.h"
#include "fifo.h"
#include "json.h"
#include "log.h"
#include "peer.h"
#include "request.h"

/* Whether one more client can be served. Root who is confined, as in a container, takes no place of root who is not. */
static int clients_check(const struct clients *c, const struct rights *r, int fd, bool confined)
{
	const struct client *other;
	unsigned all = 0, same = 0;

	LIST_FOREACH(other, &c->all, entry) {
		all++;
		same += other->rights.uid == r->uid && (r->uid || other->view.confined == confined);
	}
	if ((all >= CONTROL_CLIENTS && r->uid != 0) || same >= CONTROL_USER_CLIENTS)
		return -EUSERS;
	/* In a user namespace all the others look alike. */
	if (geteuid() != 0 && r->uid != geteuid())
		return -EPERM;
	return fifo_fd_check(fd);
}

void clients_welcome(struct clients *c, int fd, bool confined)
{
	struct rights r = { 0 };
	int process, err;

	err = peer_rights(fd, &r, &process);
	if (err == 0)
		err = clients_check(c, &r, fd, confined);
	if (err == 0)
		err = control_client_start(c, fd, &r, process, confined);
	if (err == 0)
		return;
	log_user_info(r.uid, "control: process %d of user %u is not served: %s", (int)r.pid, r.uid, strerror(-err));
	control_client_send(fd, json_of_error(err, err == -EUSERS ? "too many connections to the control socket" :
						   err == -EPERM  ? "this daemon serves only its own user" :
								    strerror(-err)));
	departures_add(&c->departures, &fd, request_closer(r.uid, confined));
	fd_close(&process);
	rights_finish(&r);
}

void clients_init(struct clients *c, struct context *ctx)
{
	c->ctx = ctx;
	LIST_INIT(&c->all);
	departures_init(&c->departures, ctx->loop);
}

void clients_leave(struct clients *c)
{
	struct client *cl, *next;

	for (cl = LIST_FIRST(&c->all); cl; cl = next) {
		next = LIST_NEXT(cl, entry);
		control_client_leave(cl);
	}
}

void clients_finish(struct clients *c)
{
	departures_finish(&c->departures);
}
