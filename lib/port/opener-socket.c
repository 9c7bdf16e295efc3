#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "attempt.h"
#include "base.h"

/* Does something to a new socket and an address. Returns 0 or a negative errno. */
typedef int (*socket_actor)(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len);

static int connect_to(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len)
{
	int err;

	/* Again after a signal, it goes on where it was; EISCONN: it got there meanwhile (tcp_v4_connect). */
	do
		err = connect(fd, addr, len);
	while (err < 0 && attempt_again(a));
	if (err < 0 && errno != EISCONN)
		return -errno;
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
}

static int listen_on(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, addr, len) < 0 ||
	    listen(fd, SOMAXCONN) < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* Keeps the socket of the first address that @actor can do with, else the last one's error. */
static int first_of(struct attempt *a, const struct addrinfo *list, socket_actor actor)
{
	int err = -EADDRNOTAVAIL;

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		_cleanup_fd_ int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		err = fd < 0 ? -errno : actor(a, fd, ai->ai_addr, ai->ai_addrlen);
		if (err == 0) {
			a->fd = fd_take(&fd);
			break;
		}
	}
	return err;
}

static int resolve_error(struct attempt *a, int gai)
{
	int err = -EHOSTUNREACH;

	if (gai == EAI_SYSTEM)
		return attempt_failed(a, "resolve", -errno);
	if (gai == EAI_MEMORY)
		err = -ENOMEM;
	else if (gai == EAI_SERVICE)
		err = -EINVAL;
	uri_why(a->why, "resolve %.60s:%s: %s", a->uri.host, a->uri.service, gai_strerror(gai));
	return err;
}

static int each_address(struct attempt *a, const char *host, const char *verb, socket_actor actor)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int err = getaddrinfo(host, a->uri.service, &hints, &list);

	if (err)
		return resolve_error(a, err);
	err = first_of(a, list, actor);
	freeaddrinfo(list);
	return err < 0 ? attempt_failed(a, verb, err) : 0;
}

/* IPv6's takes IPv4 as well (net.ipv6.bindv6only), where there is IPv6. */
static int listen_everywhere(struct attempt *a)
{
	int err = each_address(a, "::", "listen on", listen_on);

	return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL ? each_address(a, "0.0.0.0", "listen on", listen_on) : err;
}

/* ---- unix ---- */

/* A socket's file that nobody listens on. connect(2) says ECONNREFUSED of whatever is no socket as well. */
static bool is_dead(const struct sockaddr_un *addr)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	return fd >= 0 && lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 && errno == ECONNREFUSED;
}

static int listen_on_path(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_un *un = (const void *)addr;
	int err = listen_on(a, fd, addr, len);

	if (err != -EADDRINUSE || !is_dead(un))
		return err;
	return unlink(un->sun_path) < 0 ? -errno : listen_on(a, fd, addr, len);
}

static int unix_address(struct attempt *a, const char *verb, socket_actor actor)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct addrinfo one = {
		.ai_family = AF_UNIX, .ai_addr = (struct sockaddr *)&addr, .ai_addrlen = sizeof(addr),
	};
	int err;

	memcpy(addr.sun_path, a->uri.path, strlen(a->uri.path)); /* it fits: uri_parse() */
	err = first_of(a, &one, actor);
	return err < 0 ? attempt_failed(a, verb, err) : 0;
}

int attempt_connect(struct attempt *a)
{
	return a->uri.kind == URI_UNIX ? unix_address(a, "connect to", connect_to) :
					 each_address(a, a->uri.host, "connect to", connect_to);
}

int attempt_listen(struct attempt *a)
{
	if (a->uri.kind == URI_UNIX_LISTEN)
		return unix_address(a, "listen on", listen_on_path);
	return *a->uri.host ? each_address(a, a->uri.host, "listen on", listen_on) : listen_everywhere(a);
}
