/*
 * What a scan has found, matched with nodes, in turns. Each node knows its place in what was found, and in which scan that
 * was; while one is matched, a node tells of that one or of the one before.
 */
#include "descriptor-scan-parts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "log.h"

/* Whether process @pid has read it beside its taps before. */
static bool descriptor_scan_is_known(const struct descriptor_scan *sv, pid_t pid)
{
	size_t low = sv->before, high = sv->before_end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sv->seen.all[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < sv->before_end && sv->seen.all[low].pid == pid; low++)
		if (sv->seen.all[low].foreign)
			return true;
	return false;
}

static void descriptor_scan_tell_foreign(const struct descriptor_scan *sv, const struct descriptor *d,
					 const struct node *node)
{
	_cleanup_free_ char *path = NULL;

	if (descriptor_scan_is_known(sv, d->pid))
		return;
	path = node_path(node);
	log_user_warn(node->inode->uid, "%s: process %d can read the origin beside its taps: what it reads, they miss",
		      path ? path : "?", d->pid);
}

/* @last: the one before, of the same path; or NULL. */
static void descriptor_scan_match(struct descriptor_scan *sv, struct descriptor *d, const struct descriptor *last,
				  struct node *node)
{
	struct node_users *u = &node->users;

	if (!last) {
		bool before = u->scan == sv->number;

		if (u->scan > sv->number)
			return; /* it was renamed meanwhile, and has been met */
		sv->before = before ? u->first : 0;
		sv->before_end = before ? u->first + u->count : 0;
		*u = (struct node_users){ .scan = sv->number + 1, .first = sv->at };
	}
	d->node = node->id;
	u->count++;
	u->readers += (d->flags & O_ACCMODE) != O_WRONLY;
	u->writers += (d->flags & O_ACCMODE) != O_RDONLY;
	d->foreign = !node_is_tap(node) && inode_is_read_by_taps(node->inode) && (d->flags & O_ACCMODE) != O_WRONLY;
	if (d->foreign && !(last && last->pid == d->pid && last->foreign))
		descriptor_scan_tell_foreign(sv, d, node);
}

unsigned descriptor_scan_match_next(struct turns *t)
{
	struct descriptor_scan *sv = container_of(t, struct descriptor_scan, turns);
	struct descriptor *d = &sv->found.all[sv->at], *last = sv->at ? d - 1 : NULL;
	struct node *node;

	if (sv->at == sv->found.count) {
		if (last) {
			free(last->path);
			last->path = NULL;
		}
		return 0;
	}
	if (last && strcmp(last->path, d->path)) {
		free(last->path);
		last = NULL;
	} else if (last) {
		free(d->path);
		d->path = last->path;
	}
	if (sv->at)
		d[-1].path = NULL;
	node = last ? node_get(&sv->ctx->nodes, last->node) : access_find(sv->ctx->nodes.root, d->path);
	if (node && node->kind == NODE_FIFO)
		descriptor_scan_match(sv, d, last, node);
	sv->at++;
	return 1 + (last || !node ? 0 : node_depth(node));
}
