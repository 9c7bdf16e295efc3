#include "control.h"

#include <errno.h>
#include <stdlib.h>

#include "control-parts.h"
#include "control-socket.h"
#include "snapshot.h"
#include "xattrs.h"

int control_create(struct context *ctx)
{
	struct control *control = ctx->control = calloc(1, sizeof(*control));
	int err = control ? snapshots_create(&control->snapshots, ctx) : -ENOMEM;

	return err < 0 ? err : control_socket_create(&control->socket, ctx);
}

const struct xattr_attribute *const *control_xattrs(void)
{
	static const struct xattr_attribute *tables[] = {
		xattr_tee, xattr_stats, xattr_ports, xattr_flush, NULL, NULL
	};

	tables[4] = xattr_settings();
	return tables;
}

int control_bind(int tree)
{
	return control_socket_bind(tree);
}

void control_start(struct context *ctx, int fd)
{
	control_socket_start(ctx->control->socket, fd);
}

void control_leave(struct context *ctx)
{
	control_socket_leave(ctx->control->socket);
	snapshots_leave(ctx->control->snapshots);
}

void control_destroy(struct context *ctx)
{
	if (!ctx->control)
		return;
	control_socket_destroy(ctx->control->socket);
	snapshots_destroy(ctx->control->snapshots);
	free(ctx->control);
	ctx->control = NULL;
}
