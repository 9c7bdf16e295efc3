#include "folder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char folder_admin_name[] = ".spfs";
const char folder_numbers_name[] = "fifos";
const char folder_control_name[] = "control";
const char folder_door_name[] = "door"; /* where it is bound, and never found */

bool folder_is_admin(const struct context *ctx, const struct node *node)
{
	return node == ctx->admin || node == ctx->numbers || node == ctx->socket || node == ctx->door ||
	       node->kind == NODE_FILE;
}

bool folder_is_there(const struct context *ctx, const struct node *dir)
{
	return dir && dir->kind == NODE_DIR && (dir->parent || dir == ctx->nodes.root || folder_is_admin(ctx, dir));
}

struct node *folder_find(struct context *ctx, struct node *dir, const char *name)
{
	struct node *node;
	char *end;

	if (dir == ctx->nodes.root && !strcmp(name, folder_admin_name))
		return ctx->admin;
	if (dir == ctx->admin && !strcmp(name, folder_control_name))
		return ctx->socket->pending ? NULL : ctx->socket;
	if (dir == ctx->admin && !strcmp(name, folder_numbers_name))
		return ctx->numbers;
	if (dir == ctx->numbers) {
		uint64_t id = strtoull(name, &end, 16);

		node = *end ? NULL : node_get(&ctx->nodes, id);
		return node && node->kind == NODE_FIFO ? node : NULL;
	}
	node = node_find(dir, name);
	if (!node && dir != ctx->admin && !strcmp(name, folder_admin_name))
		node = ctx->door;
	return node && !node->pending ? node : NULL;
}

struct node *folder_to_bind(const struct context *ctx, fuse_ino_t dir, const char *name)
{
	struct node *node = !strcmp(name, folder_control_name) ? ctx->socket :
			    !strcmp(name, folder_door_name)    ? ctx->door :
								 NULL;

	return dir == ctx->admin->id && node && node->pending ? node : NULL;
}

bool folder_is_too_long(const struct node *dir, const char *name)
{
	size_t len = strlen(name);

	return len > NAME_MAX || node_path_length(dir) + 1 + len >= PATH_MAX;
}

int folder_for_new(struct context *ctx, fuse_ino_t parent, const char *name, struct node **dir)
{
	*dir = node_get(&ctx->nodes, parent);
	if (ctx->leaving)
		return -ENOTCONN;
	if (!folder_is_there(ctx, *dir))
		return -ENOENT;
	if (folder_is_admin(ctx, *dir))
		return -EPERM;
	if (folder_is_too_long(*dir, name))
		return -ENAMETOOLONG;
	if (node_find(*dir, name) || !strcmp(name, folder_admin_name))
		return -EEXIST;
	return 0;
}
