/*
 * What a scan has found, matched with nodes, in turns. Each node knows in which scan that was; while one is matched, a node
 * tells of that one or of the one before.
 */
#include "descriptor-scan-parts.h"

#include <fcntl.h>

#include "base.h"
#include "log.h"

/* Whether process @pid has read @node beside its taps before. */
static bool descriptor_scan_is_known(const struct descriptor_scan *sv, uint64_t node, pid_t pid)
{
	const struct descriptor_list *seen = &sv->seen;

	for (size_t i = descriptor_list_find(seen, node, pid); i < seen->count; i++) {
		const struct descriptor *d = &seen->all[i];

		if (d->node != node || d->pid != pid)
			return false;
		if (d->foreign)
			return true;
	}
	return false;
}

static void descriptor_scan_tell_foreign(const struct descriptor_scan *sv, const struct descriptor *d,
					 const struct node *node)
{
	_cleanup_free_ char *path = NULL;

	if (descriptor_scan_is_known(sv, d->node, d->pid))
		return;
	path = node_path(node);
	log_user_warn(node->inode->uid, "%s: process %d can read the origin beside its taps: what it reads, they miss",
		      path ? path : "?", d->pid);
}

/* Counts it to @name, a channel's: of FIFOs without a name of their own there may be several that are known by one. */
static void descriptor_scan_count_to(const struct descriptor_scan *sv, const struct descriptor *d, struct node *name)
{
	struct node_users *u = &name->users;

	if (u->scan != sv->number + 1)
		*u = (struct node_users){ .scan = sv->number + 1 };
	u->readers += (d->flags & O_ACCMODE) != O_WRONLY;
	u->writers += (d->flags & O_ACCMODE) != O_RDONLY;
}

/* Whether it reads a teed origin, where only the taps should. */
static bool descriptor_scan_is_foreign(const struct descriptor *d, const struct node *name)
{
	return d->node == name->id && !node_is_tap(name) && inode_is_read_by_taps(name->inode) &&
	       (d->flags & O_ACCMODE) != O_WRONLY;
}

unsigned descriptor_scan_match_next(struct turns *t)
{
	struct descriptor_scan *sv = container_of(t, struct descriptor_scan, turns);
	struct descriptor *d = &sv->found.all[sv->at];
	struct node_table *nodes = &sv->ctx->nodes;
	struct node *node, *name;

	if (sv->at == sv->found.count)
		return 0;
	sv->at++;
	node = node_get(nodes, d->node);
	name = node ? node_get(nodes, node_name(node)->id) : NULL;
	if (!name || !name->parent || name->kind != NODE_FIFO)
		return 1;
	descriptor_scan_count_to(sv, d, name);
	d->foreign = descriptor_scan_is_foreign(d, name);
	if (!d->foreign)
		return 1;
	if (d == sv->found.all || descriptor_compare(d - 1, d) || !d[-1].foreign)
		descriptor_scan_tell_foreign(sv, d, name);
	return 1 + node_depth(name);
}
