/* All but control_socket_bind() on the FUSE thread, to which the socket itself belongs. */
#include "control-socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "deferred-close.h"
#include "base.h"
#include "clients.h"
#include "folder.h"
#include "log.h"

/* Clients taken before others have a turn. */
#define TURN_CLIENTS 16

/* Out of descriptors: try again after this. */
#define RETRY_NSEC 100000000

struct listener {
	struct clients *clients;
	bool confines; /* it is the door */
	int fd;        /* -1: not bound */
	bool fails;    /* to accept, and that was said */
	struct loop_io io;
	struct loop_io retry;
};

struct control_socket {
	struct listener whole;
	struct listener door;
	struct clients clients;
};

static void control_socket_ready(struct loop_io *io, int res)
{
	struct listener *c = container_of(io, struct listener, io);
	int fd = -1;

	for (int i = 0; i < TURN_CLIENTS; i++) {
		fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			break;
		clients_welcome(c->clients, fd, c->confines);
	}
	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
		if (!c->fails) /* nobody knows yet who has connected */
			log_user_err(LOG_SOMEBODY, "control: accept: %m");
		c->fails = true;
		loop_io_timer(&c->retry, RETRY_NSEC);
		return;
	}
	c->fails = false;
	loop_io_poll(&c->io, c->fd, POLLIN);
}

static void control_socket_retry(struct loop_io *io, int res)
{
	struct listener *c = container_of(io, struct listener, retry);

	loop_io_poll(&c->io, c->fd, POLLIN);
}

static void control_socket_init(struct listener *l, struct clients *clients, struct loop *loop, bool confines)
{
	l->clients = clients;
	l->confines = confines;
	l->fd = -1;
	loop_io_init(&l->io, loop, control_socket_ready);
	loop_io_init(&l->retry, loop, control_socket_retry);
}

int control_socket_create(struct control_socket **out, struct context *ctx)
{
	struct control_socket *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	control_socket_init(&c->whole, &c->clients, ctx->loop, false);
	control_socket_init(&c->door, &c->clients, ctx->loop, true);
	clients_init(&c->clients, ctx);
	*out = c;
	return 0;
}

int control_socket_bind(int tree, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s/%s", tree, folder_admin_name, name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, CONTROL_USER_CLIENTS) < 0)
		return -errno;
	return fd_take(&fd);
}

static void control_socket_listen(struct listener *l, int fd)
{
	l->fd = fd;
	if (fd >= 0)
		loop_io_poll(&l->io, l->fd, POLLIN);
}

void control_socket_start(struct control_socket *c, int whole, int door)
{
	control_socket_listen(&c->whole, whole);
	control_socket_listen(&c->door, door);
}

static void control_socket_shut(struct listener *l)
{
	loop_io_cancel(&l->io);
	loop_io_cancel(&l->retry);
	deferred_close(&l->fd, geteuid()); /* with clients that were not taken, and descriptors in their messages */
}

void control_socket_leave(struct control_socket *c)
{
	control_socket_shut(&c->whole);
	control_socket_shut(&c->door);
	clients_leave(&c->clients);
}

void control_socket_destroy(struct control_socket *c)
{
	if (!c)
		return;
	clients_finish(&c->clients);
	fd_close(&c->whole.fd);
	fd_close(&c->door.fd);
	free(c);
}
