/* A descriptor that somebody has passed: whatever moves bytes by a descriptor may become of it. */
#include "kinds.h"

#include "port-file.h"
#include "port-listen.h"
#include "port-stream.h"
#include "uri-option.h"

static const struct uri_option *const fd_options[] = { NULL };

static const struct port_ops *const fd_ops[] = {
	&port_file_source, &port_file_sink, &port_stream, &port_listen_source, &port_listen_sink, NULL,
};

const struct port_kind port_kind_fd = {
	.name = "fd",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.passed = true,
	.options = fd_options,
	.ops = fd_ops,
};
