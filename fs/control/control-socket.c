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

struct control_socket {
	int fd;     /* -1: not bound */
	bool fails; /* to accept, and that was said */
	struct loop_io io;
	struct loop_io retry;
	struct clients clients;
};

static void control_socket_ready(struct loop_io *io, int res)
{
	struct control_socket *c = container_of(io, struct control_socket, io);
	int fd = -1;

	for (int i = 0; i < TURN_CLIENTS; i++) {
		fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			break;
		clients_welcome(&c->clients, fd);
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
	struct control_socket *c = container_of(io, struct control_socket, retry);

	loop_io_poll(&c->io, c->fd, POLLIN);
}

int control_socket_create(struct control_socket **out, struct context *ctx)
{
	struct control_socket *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	loop_io_init(&c->io, ctx->loop, control_socket_ready);
	loop_io_init(&c->retry, ctx->loop, control_socket_retry);
	clients_init(&c->clients, ctx);
	*out = c;
	return 0;
}

int control_socket_bind(int tree)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s/%s", tree, folder_admin_name,
		 folder_control_name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, CONTROL_USER_CLIENTS) < 0)
		return -errno;
	return fd_take(&fd);
}

void control_socket_start(struct control_socket *c, int fd)
{
	c->fd = fd;
	if (fd >= 0)
		loop_io_poll(&c->io, c->fd, POLLIN);
}

void control_socket_leave(struct control_socket *c)
{
	loop_io_cancel(&c->io);
	loop_io_cancel(&c->retry);
	deferred_close(&c->fd, geteuid()); /* with clients that were not taken, and descriptors in their messages */
	clients_leave(&c->clients);
}

void control_socket_destroy(struct control_socket *c)
{
	if (!c)
		return;
	clients_finish(&c->clients);
	fd_close(&c->fd);
	free(c);
}
