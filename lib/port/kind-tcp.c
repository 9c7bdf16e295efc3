/* tcp:HOST:PORT, which connects, and tcp-listen:HOST:PORT, which accepts. */
#include "kinds.h"

#include <errno.h>
#include <sys/socket.h>

#include "open-socket.h"
#include "port-listen.h"
#include "port-stream.h"
#include "sink-options.h"
#include "uri-address.h"
#include "uri-option.h"

static int kind_tcp_parse(struct uri *uri, char *address, char why[URI_WHY_MAX])
{
	return uri_address_host(uri, address, false, why);
}

static int kind_tcp_open(struct attempt *a)
{
	return socket_resolve(a, a->uri.host, SOCK_STREAM, "connect to", socket_connect);
}

static const struct uri_option *const tcp_options[] = { &stream_retry, SINK_OPTIONS, NULL };
static const struct port_ops *const tcp_ops[] = { &port_stream, NULL };

const struct port_kind port_kind_tcp = {
	.name = "tcp",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.form = "HOST:PORT",
	.parse = kind_tcp_parse,
	.options = tcp_options,
	.open = kind_tcp_open,
	.ops = tcp_ops,
};

static int kind_tcp_listen_parse(struct uri *uri, char *address, char why[URI_WHY_MAX])
{
	return uri_address_host(uri, address, true, why);
}

/* Everywhere: IPv6's takes IPv4 as well (net.ipv6.bindv6only), where there is IPv6. */
static int kind_tcp_listen_open(struct attempt *a)
{
	const char *host = *a->uri.host ? a->uri.host : "::";
	int err = socket_resolve(a, host, SOCK_STREAM, "listen on", socket_listen);

	if (!*a->uri.host && (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL))
		err = socket_resolve(a, "0.0.0.0", SOCK_STREAM, "listen on", socket_listen);
	return err;
}

static const struct uri_option *const tcp_listen_options[] = { &listen_slow, &listen_grace, &sink_depth, &uri_rate,
							       NULL };
static const struct port_ops *const tcp_listen_ops[] = { &port_listen_source, &port_listen_sink, NULL };

const struct port_kind port_kind_tcp_listen = {
	.name = "tcp-listen",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.form = "HOST:PORT",
	.parse = kind_tcp_listen_parse,
	.options = tcp_listen_options,
	.open = kind_tcp_listen_open,
	.ops = tcp_listen_ops,
};
