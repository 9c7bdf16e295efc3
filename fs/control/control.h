/* What of a mount is asked and told by names of its own: the control socket and the files of .spfs; and attributes. */
#pragma once

#include "context.h"

/* Makes what they keep, in ctx->control. Returns 0 or -ENOMEM; control_destroy() is owed either way. */
int control_create(struct context *ctx);

/* The attributes, for struct operation_hooks. */
const struct xattr_attribute *const *control_xattrs(void);

/* Binds the control socket, on another thread: see control-socket.h. @tree: the root of the mount. */
int control_bind(int tree);

/* Takes what control_bind() has returned; serves it, if it is bound. */
void control_start(struct context *ctx, int fd);

/* The end: what was asked for is taken back, and nobody is served any more. */
void control_leave(struct context *ctx);

/* When no other thread works any more, and after the node table has gone. */
void control_destroy(struct context *ctx);
