/* The options of a URI: what stands behind its '?'. */
#pragma once

#include "uri.h"

/*
 * Sets the fields of @uri, whose kind and text are there, from NAME=VALUE&NAME=VALUE in @options, which is
 * taken to pieces. Returns 0, or -EINVAL or -ERANGE with the reason in @why.
 */
int uri_set_options(struct uri *uri, char *options, enum port_dir dir, char why[URI_WHY_MAX]);
