/*
 * Names are answered with an entry timeout of 0: they can change behind the kernel's back (a
 * created name is a regular file for its handle and a FIFO for everybody else; a tap may be made
 * and removed by xattr). Folders change only through the kernel, so it may keep them.
 */
#include "reply.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>

#include "base.h"
#include "inode.h"
#include "json.h"
#include "log.h"

#define FOLDER_TIMEOUT 3600.0

#define VISIT_TIMEOUT 0.01

/*
 * To the kernel ENOSYS means that the daemon does not know such requests, and most kinds it then never sends again, for the
 * whole mount: setxattr, open, fsync, lseek and others. What the daemon does not know libfuse says. So an errno from
 * elsewhere, a program or a file system that a user has made, is what the kernel itself makes of such requests then.
 */
void reply_error(fuse_req_t req, int err)
{
	fuse_reply_err(req, err == -ENOSYS ? EOPNOTSUPP : -err);
}

void reply_late(fuse_req_t *req)
{
	if (*req)
		reply_error(*req, -ETIMEDOUT);
	*req = NULL;
}

void reply_refusal(fuse_req_t req, const struct node *node, const char *what, int err, const char *why)
{
	_cleanup_free_ char *path = node_path(node_name(node));

	log_user_info(fuse_req_ctx(req)->uid, "%s: %s: %s", path ? path : "?", what, why ? why : strerror(-err));
	reply_error(req, err);
}

void reply_attributes(fuse_req_t req, const struct node *node)
{
	bool numbers = node == context_of(req)->numbers; /* nobody changes them, and each FIFO is opened through them */
	struct stat st;

	node_stat(node, &st);
	fuse_reply_attr(req, &st, numbers ? FOLDER_TIMEOUT : 0);
}

void reply_fill_entry(struct node *node, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = node->id;
	node_stat(node, &e->attr);
	e->entry_timeout = node->kind == NODE_DIR ? FOLDER_TIMEOUT : 0;
	if (node->kind == NODE_FILE) /* it never changes */
		e->attr_timeout = FOLDER_TIMEOUT;
	node->lookups++;
}

/*
 * Who opens what was found for that alone need not ask for its mode again. But of root's opens the daemon has to know
 * (tap-guard.h): what root has looked up is not valid a moment longer, also where the daemon looks it up by number again.
 */
static double reply_visit_timeout(const struct node *node)
{
	bool others = node->lookups >= node->numbered;
	const struct account *whose = node->charge.account;

	return others && (!whose || !whose->uid) ? 0 : VISIT_TIMEOUT;
}

void reply_entry(fuse_req_t req, struct node *node)
{
	struct context *ctx = context_of(req);
	struct fuse_entry_param e;
	double timeout = node->visited ? reply_visit_timeout(node) : 0;

	reply_fill_entry(node, &e);
	if (node->visited)
		e.attr_timeout = timeout;
	/* The kernel did not take it (the caller was killed): then it will not forget it either. */
	if (fuse_reply_entry(req, &e) == -ENOENT) {
		node->lookups--;
		node_release(&ctx->nodes, node);
	}
}

void reply_xattr(fuse_req_t req, const char *value, size_t len, size_t size, size_t room)
{
	if (len > XATTR_SIZE_MAX)
		reply_error(req, -E2BIG);
	else if (size == 0)
		fuse_reply_xattr(req, len + room < XATTR_SIZE_MAX ? len + room : XATTR_SIZE_MAX);
	else if (size < len)
		reply_error(req, -ERANGE);
	else
		fuse_reply_buf(req, value, len);
}

void reply_json(fuse_req_t req, json_t *json, size_t size, size_t room)
{
	_cleanup_free_ char *text = json ? json_text(json, JSON_COMPACT) : NULL;

	if (text)
		reply_xattr(req, text, strlen(text), size, room);
	else
		reply_error(req, -ENOMEM);
	json_decref(json);
}
