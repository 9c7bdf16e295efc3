#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "control-parts.h"
#include "control-socket.h"
#include "deferred-close.h"
#include "folder.h"
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

struct control_sockets control_bind(int tree)
{
	struct control_sockets s = CONTROL_SOCKETS_NONE(0);

	s.whole = control_socket_bind(tree, folder_control_name);
	s.door = s.whole < 0 ? -1 : control_socket_bind(tree, folder_door_name);
	if (s.whole < 0)
		return CONTROL_SOCKETS_NONE(s.whole);
	if (s.door >= 0)
		return s;
	fd_close(&s.whole);
	return CONTROL_SOCKETS_NONE(s.door);
}

void control_close(struct control_sockets *sockets)
{
	deferred_close(&sockets->whole, geteuid()); /* somebody may have connected, and passed descriptors */
	deferred_close(&sockets->door, geteuid());
}

void control_start(struct context *ctx, struct control_sockets *sockets)
{
	control_socket_start(ctx->control->socket, fd_take(&sockets->whole), fd_take(&sockets->door));
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
