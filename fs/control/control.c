/* All but control_bind() on the FUSE thread. */
#include "control.h"

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
#include "dir.h"
#include "log.h"

/* Clients taken before others have a turn. */
#define TURN_CLIENTS 16

/* Out of descriptors: try again after this. */
#define RETRY_NSEC 100000000

struct control {
	int fd; /* -1: not bound */
	struct loop_io io;
	struct loop_io retry;
	struct clients clients;
};

static void control_ready(struct loop_io *io, int res)
{
	struct control *c = container_of(io, struct control, io);
	int fd = -1;

	for (int i = 0; i < TURN_CLIENTS; i++) {
		fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			break;
		clients_welcome(&c->clients, fd);
	}
	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
		log_err("control: accept: %m");
		loop_io_timer(&c->retry, RETRY_NSEC);
		return;
	}
	loop_io_poll(&c->io, c->fd, POLLIN);
}

static void retry(struct loop_io *io, int res)
{
	struct control *c = container_of(io, struct control, retry);

	loop_io_poll(&c->io, c->fd, POLLIN);
}

int control_create(struct control **out, struct server *s)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	loop_io_init(&c->io, s->loop, control_ready);
	loop_io_init(&c->retry, s->loop, retry);
	c->clients.server = s;
	LIST_INIT(&c->clients.all);
	*out = c;
	return 0;
}

int control_bind(struct control *c, int tree)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s/%s", tree, admin_name, control_name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, CONTROL_USER_CLIENTS) < 0)
		return -errno;
	c->fd = fd_take(&fd);
	return 0;
}

void control_start(struct control *c)
{
	if (c->fd >= 0)
		loop_io_poll(&c->io, c->fd, POLLIN);
}

void control_leave(struct control *c)
{
	loop_io_cancel(&c->io);
	loop_io_cancel(&c->retry);
	deferred_close(&c->fd, geteuid()); /* with clients that were not taken, and descriptors in their messages */
	clients_leave(&c->clients);
}

void control_destroy(struct control *c)
{
	if (!c)
		return;
	fd_close(&c->fd);
	free(c);
}
