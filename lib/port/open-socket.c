/*
 * On the thread of an attempt, which may block in connect(2) and in the resolver; what is not the answer is closed
 * here.
 */
#include "open-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base.h"

static int socket_nonblock(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
}

int socket_connect(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len)
{
	int err;

	/* Again after a signal, it goes on where it was; EISCONN: it got there meanwhile (tcp_v4_connect). */
	do
		err = connect(fd, addr, len);
	while (err < 0 && attempt_again(a));
	if (err < 0 && errno != EISCONN)
		return -errno;
	return socket_nonblock(fd);
}

int socket_listen(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, addr, len) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -errno;
	return socket_nonblock(fd);
}

int socket_first(struct attempt *a, const struct addrinfo *list, int type, socket_actor actor)
{
	int err = -EADDRNOTAVAIL;

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		_cleanup_fd_ int fd = socket(ai->ai_family, type | SOCK_CLOEXEC, 0);

		err = fd < 0 ? -errno : actor(a, fd, ai->ai_addr, ai->ai_addrlen);
		if (err == 0) {
			a->opened.fd = fd_take(&fd);
			break;
		}
	}
	return err;
}

static int socket_unresolved(struct attempt *a, const char *host, int gai)
{
	int err = -EHOSTUNREACH;

	if (gai == EAI_SYSTEM)
		return attempt_failed(a, "resolve", -errno);
	if (gai == EAI_MEMORY)
		err = -ENOMEM;
	else if (gai == EAI_SERVICE)
		err = -EINVAL;
	uri_why(a->why, "resolve %.60s:%s: %s", host, a->uri.service, gai_strerror(gai));
	return err;
}

int socket_resolve(struct attempt *a, const char *host, int type, const char *verb, socket_actor actor)
{
	const struct addrinfo hints = { .ai_socktype = type };
	struct addrinfo *list;
	int err = getaddrinfo(host, a->uri.service, &hints, &list);

	if (err)
		return socket_unresolved(a, host, err);
	err = socket_first(a, list, type, actor);
	freeaddrinfo(list);
	return err < 0 ? attempt_failed(a, verb, err) : 0;
}

void socket_set_up_shared(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &(int){ 1 }, sizeof(int)); /* urgent data is a part of the stream */
}
