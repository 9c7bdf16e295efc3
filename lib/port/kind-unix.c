/* unix:/PATH, which connects, and unix-listen:/PATH, which accepts: stream sockets of the file system. */
#include "kinds.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base.h"
#include "open-socket.h"
#include "port-listen.h"
#include "port-stream.h"
#include "sink-options.h"
#include "uri-address.h"
#include "uri-option.h"

static int kind_unix_parse(struct uri *uri, char *address, char why[URI_WHY_MAX])
{
	return uri_address_path(uri, address, sizeof(((struct sockaddr_un *)NULL)->sun_path), why);
}

static int kind_unix_act(struct attempt *a, const char *verb, socket_actor actor)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct addrinfo one = {
		.ai_family = AF_UNIX,
		.ai_addr = (struct sockaddr *)&addr,
		.ai_addrlen = sizeof(addr),
	};
	int err;

	memcpy(addr.sun_path, a->uri.path, strlen(a->uri.path)); /* it fits: kind_unix_parse() */
	err = socket_first(a, &one, SOCK_STREAM, actor);
	return err < 0 ? attempt_failed(a, verb, err) : 0;
}

static int kind_unix_open(struct attempt *a)
{
	return kind_unix_act(a, "connect to", socket_connect);
}

static const struct uri_option *const unix_options[] = { &stream_retry, SINK_OPTIONS, NULL };
static const struct port_ops *const unix_ops[] = { &port_stream, NULL };

const struct port_kind port_kind_unix = {
	.name = "unix",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.form = "PATH",
	.path = true,
	.parse = kind_unix_parse,
	.options = unix_options,
	.open = kind_unix_open,
	.ops = unix_ops,
};

/* A socket's file that nobody listens on. connect(2) says ECONNREFUSED of whatever is no socket as well. */
static bool kind_unix_is_dead(const struct sockaddr_un *addr)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	return fd >= 0 && lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 && errno == ECONNREFUSED;
}

static int kind_unix_listen(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_un *un = (const void *)addr;
	int err = socket_listen(a, fd, addr, len);

	if (err != -EADDRINUSE || !kind_unix_is_dead(un))
		return err;
	return unlink(un->sun_path) < 0 ? -errno : socket_listen(a, fd, addr, len);
}

static int kind_unix_listen_open(struct attempt *a)
{
	return kind_unix_act(a, "listen on", kind_unix_listen);
}

static const struct uri_option *const unix_listen_options[] = { &listen_slow, &listen_grace, &sink_depth, &uri_rate,
								NULL };
static const struct port_ops *const unix_listen_ops[] = { &port_listen_source, &port_listen_sink, NULL };

const struct port_kind port_kind_unix_listen = {
	.name = "unix-listen",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.form = "PATH",
	.path = true,
	.parse = kind_unix_parse,
	.options = unix_listen_options,
	.open = kind_unix_listen_open,
	.ops = unix_listen_ops,
};
