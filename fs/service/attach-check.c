/* Whether what is asked for may be attached, as far as that can be told before it is opened, without the channel's worker. */
#include "attach-parts.h"

#include <errno.h>
#include <unistd.h>

#include "access.h"
#include "config.h"
#include "kinds.h"
#include "services.h"

/* Each opening holds a thread. */
static bool attach_crowded(const struct attach *a)
{
	const struct attach *other;
	unsigned same = 0;

	LIST_FOREACH(other, &a->ctx->services->attaches, entry)
		same += other->rights.uid == a->rights.uid;
	return same > ATTACH_USER_MAX;
}

static int attach_check_permit(struct attach *a)
{
	if (permits_allow(&a->ctx->config->permits, uri_name(&a->uri), &a->rights))
		return 0;
	uri_why(a->why, "kind %s is not allowed for %s", uri_name(&a->uri), a->own ? "the owner" : "you");
	return -EACCES;
}

int attach_check(struct attach *a)
{
	const struct node *node = a->node;
	int err;

	if (a->cancelled)
		return attach_refuse(a, -EINTR, NULL);
	if (!a->own && attach_crowded(a))
		return attach_refuse(a, -EUSERS, "too many are being attached at the same time");
	if (!node->parent || (a->dir == PORT_SOURCE && !node->inode->origin))
		return attach_refuse(a, -ENOENT, node->parent ? "the channel's origin is gone" : "the name has gone");
	if (a->dir == PORT_SOURCE && node_is_tap(node))
		return attach_refuse(a, -EINVAL, "sources are attached to the origin, this name is a tap");
	if (node->each)
		return attach_refuse(a, -EINVAL, "a broadcast name has no stream of its own: attach it to the channel");
	if (a->dir == PORT_SOURCE && node->inode->packets)
		return attach_refuse(a, -EINVAL, "a source knows no messages, this is a packet channel");
	err = a->own ? 0 : access_check(&a->rights, node->inode, a->dir == PORT_SOURCE ? W_OK : R_OK);
	if (err < 0)
		return attach_refuse(a, err,
				     a->dir == PORT_SOURCE ? "no right to write the channel" :
							     "no right to read the channel");
	err = a->text ? uri_parse(&a->uri, a->text, a->dir, a->why) : uri_of_fd(&a->uri);
	if (err == -ENOMEM)
		return attach_refuse(a, err, NULL);
	return err < 0 ? err : attach_check_permit(a);
}
