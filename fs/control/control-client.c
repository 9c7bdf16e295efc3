/*
 * Nothing is sent that the socket does not take at once; what comes with descriptors is received elsewhere
 * (reception.h), and what was not received goes with the socket (departures.h).
 */
#include "control-client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accounts.h"
#include "base.h"
#include "deferred-close.h"
#include "json.h"
#include "log.h"
#include "reception.h"

/* Its connection, its process, and what it passes. */
#define CLIENT_DESCRIPTORS 3

/* ---- its end ---- */

static void control_client_close(struct client *cl)
{
	loop_io_cancel(&cl->io);
	loop_io_cancel(&cl->room);
	fd_close(&cl->process);
	if (cl->fd >= 0) /* else a reception has it */
		departures_add(&cl->clients->departures, &cl->fd, cl->view.closer);
	LIST_REMOVE(cl, entry);
	rights_finish(&cl->rights);
	charge_finish(&cl->descriptors);
	free(cl);
}

/* The same once its request is taken back. */
static void control_client_drop(struct client *cl)
{
	loop_io_cancel(&cl->io);
	cl->gone = true;
	if (cl->busy)
		request_cancel(&cl->request);
	else if (cl->groups != CLIENT_GROUPS_READ)
		control_client_close(cl);
}

void control_client_leave(struct client *cl)
{
	reception_forget(cl->reception);
	cl->reception = NULL;
	control_client_drop(cl);
}

/* ---- answers ---- */

int control_client_send(int fd, json_t *answer)
{
	_cleanup_free_ char *text = answer ? json_text(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	if (!text)
		return -ENOMEM;
	return send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Says first how much was lost. Returns 0 or a negative errno. */
static int control_client_tell_lost(struct client *cl)
{
	int err = 0;

	if (cl->lost)
		err = control_client_send(cl->fd,
					  json_pack("{ss so}", "event", "lost", "count", json_of_number(cl->lost)));
	if (err == 0)
		cl->lost = 0;
	return err;
}

static void control_client_room(struct loop_io *io, int res)
{
	struct client *cl = container_of(io, struct client, room);

	if (control_client_tell_lost(cl) == -EAGAIN)
		loop_io_poll(&cl->room, cl->fd, POLLOUT);
}

static void control_client_more(struct request *r, json_t *answer)
{
	struct client *cl = container_of(r, struct client, request);

	if (control_client_tell_lost(cl) < 0)
		json_decref(answer);
	else if (control_client_send(cl->fd, answer) == 0)
		return;
	cl->lost++;
	loop_io_poll(&cl->room, cl->fd, POLLOUT);
}

static void control_client_late(struct request *r, json_t *answer)
{
	struct client *cl = container_of(r, struct client, request);

	if (cl->gone) {
		json_decref(answer);
		return;
	}
	control_client_send(cl->fd, answer);
	control_client_drop(cl); /* once it is through */
}

static void control_client_done(struct request *r, json_t *answer)
{
	struct client *cl = container_of(r, struct client, request);
	int err = 0;

	cl->busy = false;
	loop_io_cancel(&cl->io);
	loop_io_cancel(&cl->room);
	if (cl->gone)
		json_decref(answer);
	else
		err = control_client_send(cl->fd, answer);
	if (err == -EMSGSIZE)
		err = control_client_send(cl->fd, json_of_error(-E2BIG, "the answer is too long"));
	if (err < 0)
		log_user_info(cl->rights.uid, "control: process %d of user %u does not take its answer: %s",
			      (int)cl->rights.pid, cl->rights.uid, strerror(-err));
	if (err < 0 || cl->gone)
		control_client_close(cl);
	else
		loop_io_poll(&cl->io, cl->fd, POLLIN);
}

/* ---- requests ---- */

/* A message is there, @err: or something is wrong with it. Takes @fd. */
static void control_client_ask(struct client *cl, const char *text, ssize_t len, int fd, const struct file_id *shown,
			       int err, const char *why)
{
	struct request *r = &cl->request;

	*r = (struct request){
		.ctx = cl->clients->ctx,
		.rights = &cl->rights,
		.process = cl->process,
		.view = &cl->view,
		.fd = fd,
		.shown = *shown,
		.done = control_client_done,
		.more = control_client_more,
		.late = control_client_late,
	};
	cl->busy = true;
	if (err == 0 && len > CONTROL_MAX) {
		err = -E2BIG;
		why = "the request is too long";
	}
	if (err < 0) {
		deferred_close(&r->fd, cl->view.closer);
		control_client_done(r, json_of_error(err, why));
		return;
	}
	/* io_uring(7) always tells of a peer that has shut down. */
	loop_io_poll(&cl->io, cl->fd, POLLRDHUP);
	request_start(r, text, (size_t)len);
}

static void control_client_received(void *data, int socket, struct received *got)
{
	struct client *cl = data;
	bool crowded = deferred_close_crowded(cl->view.closer);

	cl->reception = NULL;
	cl->fd = socket;
	if (got->len > 0)
		control_client_ask(cl, got->text, got->len, got->fd, &got->id, got->err,
				   got->err != -EINVAL ? strerror(-got->err) :
				   crowded             ? "too many descriptors are still being closed" :
							 "one descriptor, please");
	else
		control_client_drop(cl); /* it has no descriptor either */
	free(got->text);
}

static void control_client_ready(struct loop_io *io, int res)
{
	struct client *cl = container_of(io, struct client, io);
	struct clients *c = cl->clients;
	enum reception_head head = cl->busy ? RECEPTION_END : reception_look(cl->fd); /* while busy: it has gone */
	ssize_t n = 0;

	if (head == RECEPTION_TEXT)
		n = recv(cl->fd, c->text, sizeof(c->text), MSG_DONTWAIT | MSG_TRUNC);
	else if (head == RECEPTION_DESCRIPTORS)
		cl->reception = reception_start(c->ctx->loop, &cl->fd, cl->view.closer,
						!deferred_close_crowded(cl->view.closer), cl->view.confined,
						control_client_received, cl);
	if (n > 0)
		control_client_ask(cl, c->text, n, -1, &(struct file_id){ 0 }, 0, NULL);
	else if (head == RECEPTION_NOTHING)
		loop_io_poll(io, cl->fd, POLLIN);
	else if (!cl->reception)
		control_client_drop(cl);
}

void control_client_known(struct client *cl, int err)
{
	if (cl->gone) {
		control_client_close(cl);
	} else if (err < 0) {
		log_user_info(cl->rights.uid,
			      "control: process %d of user %u is not served, its groups cannot be read: %s",
			      (int)cl->rights.pid, cl->rights.uid, strerror(-err));
		control_client_send(cl->fd, json_of_error(err, err == -EUSERS ? "too much of this user's hangs" :
										strerror(-err)));
		control_client_drop(cl);
	} else {
		accounts_of_caller(cl->clients->ctx, &cl->rights); /* (has the limits of its groups from now on) */
		loop_io_poll(&cl->io, cl->fd, POLLIN);
	}
}

int control_client_start(struct clients *clients, int fd, const struct rights *rights, int process, bool confined)
{
	struct client *cl = calloc(1, sizeof(*cl));

	if (!cl)
		return -ENOMEM;
	cl->clients = clients;
	cl->fd = fd;
	cl->rights = *rights;
	cl->process = process;
	cl->view.confined = confined;
	cl->view.closer = request_closer(rights->uid, confined);
	loop_io_init(&cl->io, clients->ctx->loop, control_client_ready);
	loop_io_init(&cl->room, clients->ctx->loop, control_client_room);
	/* How many there are is bounded, and by one of them a user may find out what to let go of: so it is never refused. */
	cl->descriptors.account = accounts_of_user(clients->ctx, rights->uid);
	cl->descriptors.of = ACCOUNT_DESCRIPTORS;
	charge_note(&cl->descriptors, CLIENT_DESCRIPTORS);
	LIST_INSERT_HEAD(&clients->all, cl, entry);
	client_groups_read(cl);
	return 0;
}
