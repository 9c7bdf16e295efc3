/*
 * On the FUSE thread, which never waits for a client: nothing is sent that the socket does not take at once, and a
 * client has one request under way at a time.
 */
#include "clients.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accounts.h"
#include "base.h"
#include "deferred-close.h"
#include "fifo.h"
#include "json.h"
#include "log.h"
#include "request.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5, asm-generic/socket.h */
#endif

/* Its connection, its process, and what it passes. */
#define CLIENT_DESCRIPTORS 3

struct client {
	LIST_ENTRY(client) entry;
	struct clients *clients;
	int fd;
	int process; /* pidfd of who has connected; -1: gone */
	struct loop_io io;
	struct rights rights;
	struct request request;
	bool busy; /* with the request */
	bool gone; /* to be freed after it */
	struct charge descriptors;
	uint64_t lost;       /* events that it did not take */
	struct loop_io room; /* to tell it so */
};

static void client_free(struct client *cl)
{
	LIST_REMOVE(cl, entry);
	loop_io_cancel(&cl->io);
	loop_io_cancel(&cl->room);
	deferred_close(&cl->fd, cl->rights.uid); /* with descriptors in messages that were not read */
	fd_close(&cl->process);
	rights_finish(&cl->rights);
	charge_finish(&cl->descriptors);
	free(cl);
}

static void client_drop(struct client *cl)
{
	loop_io_cancel(&cl->io);
	cl->gone = true;
	if (cl->busy)
		request_cancel(&cl->request);
	else
		client_free(cl);
}

/* Takes @answer. Returns 0 or a negative errno. */
static int client_send(int fd, json_t *answer)
{
	_cleanup_free_ char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

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

static void client_late(struct request *r, json_t *answer)
{
	struct client *cl = container_of(r, struct client, request);

	if (cl->gone) {
		json_decref(answer);
		return;
	}
	client_send(cl->fd, answer);
	client_drop(cl); /* once it is through */
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
		log_info("control: process %d of user %u does not take its answer: %s", (int)cl->rights.pid,
			 cl->rights.uid, strerror(-err));
	if (err < 0 || cl->gone)
		client_free(cl);
	else
		loop_io_poll(&cl->io, cl->fd, POLLIN);
}

/* Takes what was passed with the message: *fd, if it is one descriptor. Returns 0 or -EINVAL, -EMFILE. */
static int client_take_fd(struct msghdr *msg, int *fd, uid_t uid)
{
	unsigned count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			deferred_close(fd, uid);
			memcpy(fd, (char *)c + at, sizeof(int));
			count++;
		}
	}
	if (count <= 1 && !(msg->msg_flags & MSG_CTRUNC))
		return *fd < 0 ? 0 : fifo_fd_check(*fd);
	deferred_close(fd, uid);
	return -EINVAL;
}

/* What names mean to who has connected is asked by its number, which another process may have by now. */
static void client_look_at_process(struct client *cl)
{
	struct pollfd p = { .fd = cl->process, .events = POLLIN };

	if (cl->process < 0 || poll(&p, 1, 0) != 0)
		cl->rights.pid = 0;
}

static void client_ready(struct loop_io *io, int res)
{
	struct client *cl = container_of(io, struct client, io);
	struct clients *c = cl->clients;
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { c->text, sizeof(c->text) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct request *r = &cl->request;
	bool crowded = deferred_close_crowded(cl->rights.uid);
	ssize_t n;
	int err;

	if (cl->busy) { /* so it has gone */
		client_drop(cl);
		return;
	}
	if (crowded) /* the kernel lets go of what is passed, without a close(2) */
		msg.msg_controllen = 0;
	n = recvmsg(cl->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		loop_io_poll(&cl->io, cl->fd, POLLIN);
		return;
	}
	if (n <= 0) {
		client_drop(cl);
		return;
	}
	*r = (struct request){
		.ctx = c->ctx, .rights = &cl->rights, .fd = -1, .done = client_done, .more = client_more,
		.late = client_late,
	};
	err = client_take_fd(&msg, &r->fd, cl->rights.uid);
	cl->busy = true;
	if (err < 0 || (msg.msg_flags & MSG_TRUNC)) {
		deferred_close(&r->fd, cl->rights.uid);
		client_done(r, json_of_error(err < 0 ? err : -E2BIG,
					     err == -EINVAL ? crowded ? "too many descriptors are still being closed" :
									"one descriptor, please" :
					     err < 0        ? strerror(-err) :
							      "the request is too long"));
		return;
	}
	client_look_at_process(cl);
	/* io_uring(7) always tells of a peer that has shut down. */
	loop_io_poll(&cl->io, cl->fd, POLLRDHUP);
	request_start(r, c->text, (size_t)n);
}

/* ---- who comes ---- */

static int client_peer_rights(int fd, struct rights *r)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*r = (struct rights){ .uid = cred.uid, .gid = cred.gid, .pid = cred.pid };
	len = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0)
		return 0;
	if (errno != ERANGE)
		return -errno;
	r->groups = malloc(len);
	if (!r->groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, r->groups, &len) < 0)
		return r->groups ? -errno : -ENOMEM;
	r->count = len / sizeof(gid_t);
	return 0;
}

/* Returns a pidfd, or -1. */
static int client_peer_process(int fd, pid_t pid)
{
	socklen_t len = sizeof(int);
	int process;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &process, &len) == 0)
		return process;
	/* Before Linux 6.5. */
	return errno == ENOPROTOOPT && pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

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
		close(fd);
		return;
	}
	cl->clients = c;
	cl->fd = fd;
	cl->process = -1;
	loop_io_init(&cl->io, c->ctx->loop, client_ready);
	loop_io_init(&cl->room, c->ctx->loop, client_room);
	err = client_peer_rights(fd, &cl->rights);
	if (err == 0)
		cl->process = client_peer_process(fd, cl->rights.pid);
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
	log_info("control: process %d of user %u is not served: %s", (int)cl->rights.pid, cl->rights.uid,
		 strerror(-err));
	client_send(fd, json_of_error(err, err == -EUSERS ? "too many connections to the control socket" :
					   err == -EPERM  ? "this daemon serves only its own user" :
							    strerror(-err)));
	client_free(cl);
}

void clients_leave(struct clients *c)
{
	struct client *cl, *next;

	for (cl = LIST_FIRST(&c->all); cl; cl = next) {
		next = LIST_NEXT(cl, entry);
		client_drop(cl);
	}
}
