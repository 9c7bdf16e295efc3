/*
 * A link is a tap: link(2) of a channel's name makes one. The channel's worker adds it (tee.h); where that is late the caller is
 * told ETIMEDOUT, and there will be no name.
 */
#include "dir-parts.h"

#include <errno.h>
#include <stdlib.h>

#include "access.h"
#include "base.h"
#include "callers.h"
#include "folder.h"
#include "operation-parts.h"
#include "reply.h"
#include "tee.h"

struct dir_linking {
	struct tee_request tee;
	fuse_req_t req;        /* NULL: answered, it was late */
	struct node *stand_in; /* the answer; NULL: the tap is */
};

static void dir_link_late(struct tee_request *t)
{
	reply_late(&container_of(t, struct dir_linking, tee)->req);
}

static void dir_linked(struct tee_request *t)
{
	struct dir_linking *l = container_of(t, struct dir_linking, tee);
	struct context *ctx = t->ctx;

	if (t->err == 0)
		reply_entry(l->req, l->stand_in ? l->stand_in : t->tap);
	else if (l->req)
		reply_error(l->req, t->err);
	if (t->err < 0 && l->stand_in)
		node_release(&ctx->nodes, l->stand_in);
	free(l);
}

/* link(2) is to be answered with a node of the type that was linked; the next look-up finds the tap. */
static int dir_link_start(struct dir_linking *l)
{
	_cleanup_rights_ struct rights rights = { 0 };
	struct node *node = l->tee.node;
	int err = access_rights(l->req, &rights);

	if (err == 0 && !tee_is_allowed(&rights, node->inode))
		err = -EPERM;
	if (err < 0)
		return err;
	if (node->kind == NODE_HANDLE)
		err = dir_stand_in(l->req, node->inode, NODE_HANDLE, l->tee.name, &l->stand_in);
	if (err < 0)
		return err;
	err = tee_start(&l->tee, &rights);
	if (err < 0 && l->stand_in)
		node_release(&l->tee.ctx->nodes, l->stand_in);
	return err;
}

void dir_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	struct context *ctx = context_of(req);
	struct node *node = node_get(&ctx->nodes, ino), *dir;
	int err = folder_for_new(ctx, newparent, newname, &dir);
	struct dir_linking *l = NULL;

	if (err == 0 && !node)
		err = -ENOENT;
	else if (err == 0 && node->kind != NODE_FIFO && (node->kind != NODE_HANDLE || !node->inode->packets))
		err = -EPERM;
	if (err == 0 && callers_wait(req))
		return;
	if (err == 0) {
		l = calloc(1, sizeof(*l));
		err = l ? 0 : -ENOMEM;
	}
	if (err == 0) {
		l->tee = (struct tee_request){
			.ctx = ctx, .node = node, .dir = dir, .name = newname, .done = dir_linked, .late = dir_link_late
		};
		l->req = req;
		err = dir_link_start(l);
	}
	if (err == 0)
		return;
	free(l);
	reply_error(req, err);
}
