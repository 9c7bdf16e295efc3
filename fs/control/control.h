/* What of a mount is asked and told by names of its own: the control socket and the files of .spfs; and attributes. */
#pragma once

#include "context.h"

/* Makes what they keep, in ctx->control. Returns 0 or -ENOMEM; control_destroy() is owed either way. */
int control_create(struct context *ctx);

/* The attributes, for struct operation_hooks. */
const struct xattr_attribute *const *control_xattrs(void);

/* The control sockets, listening: the one for who sees the whole mount, and the one for who sees a folder of it alone. */
struct control_sockets {
	int err; /* 0, or why there are none, a negative errno */
	int whole;
	int door;
};

#define CONTROL_SOCKETS_NONE(why) ((struct control_sockets){ .err = (why), .whole = -1, .door = -1 })

/* Binds them, on another thread: see control-socket.h. @tree: the root of the mount. Returns both, or none. */
struct control_sockets control_bind(int tree);

/* Closes them, as they may have clients already. */
void control_close(struct control_sockets *sockets);

/* Takes what control_bind() has returned; serves them, if they are bound. */
void control_start(struct context *ctx, struct control_sockets *sockets);

/* The end: what was asked for is taken back, and nobody is served any more. */
void control_leave(struct context *ctx);

/* When no other thread works any more, and after the node table has gone. */
void control_destroy(struct context *ctx);
