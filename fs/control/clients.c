/*
 * On the FUSE thread, which never waits for a client: nothing is sent that the socket does not take at once, what comes
 * with descriptors is received elsewhere (reception.h), and so is a socket closed, for with it goes what was not read.
 *
 * A client has one request under way at a time, and counts for its user until its socket is closed. Who is refused is
 * one until then, too: where so many of his closings hang that no more are begun, he stays open, *parked*, until they have
 * become fewer; and while too many are parked, nobody is welcomed.
 */
#include "clients.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accounts.h"
#include "base.h"
#include "deferred-close.h"
#include "fifo.h"
#include "json.h"
#include "log.h"
#include "peer.h"
#include "reception.h"
#include "request.h"

/* Whom to close is not possible yet: when to look again, and so many that nobody else is welcomed. */
#define PARKED_NSEC 100000000
#define PARKED_MAX 256

/* Its connection, its process, and what it passes. */
#define CLIENT_DESCRIPTORS 3

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

/* ---- its end ---- */

static void client_free(struct client *cl)
{
	LIST_REMOVE(cl, entry);
	rights_finish(&cl->rights);
	charge_finish(&cl->descriptors);
	free(cl);
}

static void client_closed(void *data)
{
	struct client *cl = data;

	cl->closing = NULL;
	client_free(cl);
}

/* It is freed once its socket is closed; or at once, where nobody counts any more. */
static void client_close(struct client *cl)
{
	struct clients *c = cl->clients;

	loop_io_cancel(&cl->io);
	loop_io_cancel(&cl->room);
	fd_close(&cl->process);
	cl->closing = c->leaving ? NULL : deferred_close_create(c->ctx->loop, cl->rights.uid, client_closed, cl);
	if (cl->closing) {
		deferred_close_begin(cl->closing, fd_take(&cl->fd), NULL, NULL);
		return;
	}
	deferred_close_after(&cl->fd, cl->rights.uid, c->ctx->loop);
	client_free(cl);
}

static void client_drop(struct client *cl)
{
	loop_io_cancel(&cl->io);
	cl->gone = true;
	if (cl->busy)
		request_cancel(&cl->request);
	else
		client_close(cl);
}

/* Of who was refused. */
static void client_park(struct client *cl)
{
	struct clients *c = cl->clients;

	if (!deferred_close_crowded(cl->rights.uid)) {
		client_close(cl);
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
		client_close(cl);
	}
	if (c->parked)
		loop_io_timer(&c->again, PARKED_NSEC);
}

bool clients_full(const struct clients *c)
{
	return c->parked >= PARKED_MAX;
}

/* ---- answers ---- */

/* Takes @answer. Returns 0 or a negative errno. */
static int client_send(int fd, json_t *answer)
{
	_cleanup_free_ char *text = answer ? json_text(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	if (!text)
		return -ENOMEM;
	return send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Says first how much was lost. Returns 0 or a negative errno. */
static int client_tell_lost(struct client *cl)
{
	int err = 0;

	if (cl->lost)
		err = client_send(cl->fd, json_pack("{ss so}", "event", "lost", "count", json_of_number(cl->lost)));
	if (err == 0)
		cl->lost = 0;
	return err;
}

static void client_room(struct loop_io *io, int res)
{
	struct client *cl = container_of(io, struct client, room);

	if (client_tell_lost(cl) == -EAGAIN)
		loop_io_poll(&cl->room, cl->fd, POLLOUT);
}

static void client_more(struct request *r, json_t *answer)
{
	struct client *cl = container_of(r, struct client, request);

	if (client_tell_lost(cl) < 0)
		json_decref(answer);
	else if (client_send(cl->fd, answer) == 0)
		return;
	cl->lost++;
	loop_io_poll(&cl->room, cl->fd, POLLOUT);
}

static void client_done(struct request *r, json_t *answer)
{
	struct client *cl = container_of(r, struct client, request);
	int err = 0;

	cl->busy = false;
	loop_io_cancel(&cl->io);
	loop_io_cancel(&cl->room);
	if (cl->gone)
		json_decref(answer);
	else
		err = client_send(cl->fd, answer);
	if (err == -EMSGSIZE)
		err = client_send(cl->fd, json_of_error(-E2BIG, "the answer is too long"));
	if (err < 0)
		log_user_info(cl->rights.uid, "control: process %d of user %u does not take its answer: %s",
			      (int)cl->rights.pid, cl->rights.uid, strerror(-err));
	if (err < 0 || cl->gone)
		client_close(cl);
	else
		loop_io_poll(&cl->io, cl->fd, POLLIN);
}

/* ---- requests ---- */

/* A message is there, @err: or something is wrong with it. Takes @fd. */
static void client_ask(struct client *cl, const char *text, ssize_t len, int fd, int err, const char *why)
{
	struct request *r = &cl->request;

	*r = (struct request){
		.ctx = cl->clients->ctx,
		.rights = &cl->rights,
		.process = cl->process,
		.fd = fd,
		.done = client_done,
		.more = client_more,
	};
	cl->busy = true;
	if (err == 0 && len > CONTROL_MAX) {
		err = -E2BIG;
		why = "the request is too long";
	}
	if (err < 0) {
		deferred_close(&r->fd, cl->rights.uid);
		client_done(r, json_of_error(err, why));
		return;
	}
	/* io_uring(7) always tells of a peer that has shut down. */
	loop_io_poll(&cl->io, cl->fd, POLLRDHUP);
	request_start(r, text, (size_t)len);
}

static void client_received(void *data, int socket, struct received *got)
{
	struct client *cl = data;
	bool crowded = deferred_close_crowded(cl->rights.uid);

	cl->reception = NULL;
	cl->fd = socket;
	if (got->len > 0)
		client_ask(cl, got->text, got->len, got->fd, got->err,
			   got->err != -EINVAL ? strerror(-got->err) :
			   crowded             ? "too many descriptors are still being closed" :
						 "one descriptor, please");
	else
		client_drop(cl); /* it has no descriptor either */
	free(got->text);
}

static void client_ready(struct loop_io *io, int res)
{
	struct client *cl = container_of(io, struct client, io);
	struct clients *c = cl->clients;
	enum reception_head head = cl->busy ? RECEPTION_END : reception_look(cl->fd); /* while busy: it has gone */
	ssize_t n = 0;

	if (head == RECEPTION_TEXT)
		n = recv(cl->fd, c->text, sizeof(c->text), MSG_DONTWAIT | MSG_TRUNC);
	else if (head == RECEPTION_DESCRIPTORS)
		cl->reception = reception_start(c->ctx->loop, &cl->fd, cl->rights.uid,
						!deferred_close_crowded(cl->rights.uid), client_received, cl);
	if (n > 0)
		client_ask(cl, c->text, n, -1, 0, NULL);
	else if (head == RECEPTION_NOTHING)
		loop_io_poll(io, cl->fd, POLLIN);
	else if (!cl->reception)
		client_drop(cl);
}

/* ---- who comes ---- */

/* Whether one more client can be served. */
static int clients_check(struct clients *c, const struct rights *r, int fd)
{
	const struct client *other;
	unsigned all = 0, same = 0;

	LIST_FOREACH(other, &c->all, entry) {
		all++;
		same += other->rights.uid == r->uid;
	}
	if ((all >= CONTROL_CLIENTS && r->uid != 0) || same >= CONTROL_USER_CLIENTS)
		return -EUSERS;
	/* In a user namespace all the others look alike. */
	if (geteuid() != 0 && r->uid != geteuid())
		return -EPERM;
	return fifo_fd_check(fd);
}

void clients_welcome(struct clients *c, int fd)
{
	struct client *cl = calloc(1, sizeof(*cl));
	int err;

	if (!cl) {
		deferred_close(&fd, geteuid());
		return;
	}
	cl->clients = c;
	cl->fd = fd;
	cl->process = -1;
	loop_io_init(&cl->io, c->ctx->loop, client_ready);
	loop_io_init(&cl->room, c->ctx->loop, client_room);
	err = peer_rights(fd, &cl->rights, &cl->process);
	if (err == 0)
		err = clients_check(c, &cl->rights, fd);
	if (err == 0) { /* how many there are is bounded, and by one of them a user may find out what to let go of */
		cl->descriptors.account = accounts_of_caller(c->ctx, &cl->rights);
		cl->descriptors.of = ACCOUNT_DESCRIPTORS;
		charge_note(&cl->descriptors, CLIENT_DESCRIPTORS);
	}
	LIST_INSERT_HEAD(&c->all, cl, entry);
	if (err == 0) {
		loop_io_poll(&cl->io, fd, POLLIN);
		return;
	}
	log_user_info(cl->rights.uid, "control: process %d of user %u is not served: %s", (int)cl->rights.pid,
		      cl->rights.uid, strerror(-err));
	client_send(fd, json_of_error(err, err == -EUSERS ? "too many connections to the control socket" :
					   err == -EPERM  ? "this daemon serves only its own user" :
							    strerror(-err)));
	shutdown(fd, SHUT_RDWR);
	client_park(cl);
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
		reception_forget(cl->reception);
		if (cl->closing) {
			deferred_close_forget(cl->closing);
			client_free(cl);
		} else {
			client_drop(cl);
		}
	}
}
