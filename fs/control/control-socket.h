/*
 * The control socket, MOUNTPOINT/.spfs/control: how the command spfs asks for what an attribute cannot carry, as
 * descriptors, or cannot say, as why something failed.
 *
 * A unix socket of messages (SOCK_SEQPACKET), for every user: what each may is checked per request, by the ids
 * that the kernel tells of the peer. It is bound in the daemon's private view of the mount, so it does not make
 * umount(8) busy. A client sends a request (request.h) and reads its answer, and so on; a client that goes, or
 * shuts its sending side down, takes back what it asked for last.
 *
 * Where a bind mount shows but a folder of the mount, as in a container, this one is not to be found. There, as in every
 * folder but the root, ".spfs" is a second socket, the door, which no folder lists. Who comes in by it is *confined*: it has to
 * show a descriptor of a folder first (request.h), which it has only where it can reach that folder, and from then on finds
 * what is below it, and nothing of the whole mount.
 */
#pragma once

#include "context.h"

struct control_socket;

/* Bytes of a request. */
#define CONTROL_MAX 16384

/* Connections of one user, by either socket, and of all, but for root's. */
#define CONTROL_USER_CLIENTS 64
#define CONTROL_CLIENTS 512

/* Returns 0 or -ENOMEM. */
int control_socket_create(struct control_socket **socket, struct context *ctx);

/*
 * Binds a socket as @name in .spfs, on another thread: the FUSE thread has to answer what the kernel asks for meanwhile.
 * @tree: the root of the mount. Returns the socket, the caller's, or a negative errno.
 */
int control_socket_bind(int tree, const char *name);

/* Takes what control_socket_bind() has returned for the control socket and the door, and begins to serve them; -1: none. */
void control_socket_start(struct control_socket *c, int whole, int door);

/* The end of the daemon: nobody is served any more. */
void control_socket_leave(struct control_socket *c);

/* NULL-safe. */
void control_socket_destroy(struct control_socket *c);
