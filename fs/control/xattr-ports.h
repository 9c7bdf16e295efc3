/*
 * The attributes of ports:
 *
 *   spfs.source, spfs.sink   set: attaches a URI (uri.h); never read
 *   spfs.ports               a JSON array
 *   spfs.detach              set: a port's id; never read
 */
#pragma once

#include "server.h"

void xattr_ports_set_source(fuse_req_t req, struct node *node, const char *value);
void xattr_ports_set_sink(fuse_req_t req, struct node *node, const char *value);
void xattr_ports_set_detach(fuse_req_t req, struct node *node, const char *value);
void xattr_ports_get_ports(fuse_req_t req, struct node *node, size_t size);

/*
 * While an attribute is set the kernel keeps the name locked, and its folder too once somebody wants to remove
 * or link it. So what takes longer to open is ETIMEDOUT here; the control socket waits without end.
 */
#define XATTR_PORTS_PATIENCE_NSEC 5000000000u
