/* What kinds of ports on a connection or a pipe name in their rows. */
#pragma once

#include "port-ops.h"
#include "uri-option.h"

extern const struct port_ops port_stream;

/* Seconds after which to connect again; 0: never. */
extern const struct uri_option stream_retry;
