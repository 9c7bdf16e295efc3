/*
 * Who is confined shows the folder that it sees. Its word for where that is helps to find it; that it can reach it is what the
 * descriptor proves. So nobody is asked, and no right but that of having opened it: as with openat(2), what lies above the
 * folder does not matter any more.
 */
#include "request-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base.h"
#include "folder.h"
#include "json.h"
#include "text.h"

/* The folder at @path, whoever may search the way. NULL: there is none. */
static struct node *request_enter_find(struct context *ctx, const char *path)
{
	struct node *dir;

	path += strspn(path, "/");
	dir = *path ? access_find(ctx->nodes.root, path) : ctx->nodes.root;
	return dir && folder_is_there(ctx, dir) && !folder_is_admin(ctx, dir) ? dir : NULL;
}

void request_enter(struct request *r, struct node *node)
{
	_cleanup_free_ char *path = NULL;
	const char *text;
	struct node *dir;

	if (!request_unpack(r, "{ss}", "folder", &text))
		return;
	path = strdup(text);
	if (!path) {
		request_refuse(r, -ENOMEM, strerror(ENOMEM));
		return;
	}
	text_from_utf8(path);
	dir = request_enter_find(r->ctx, path);
	if (!r->view->confined || r->view->folder)
		request_refuse(r, -EINVAL, r->view->folder ? "a folder was shown already" : "here is the whole mount");
	else if (!dir || r->shown.dev != r->ctx->dev || r->shown.ino != dir->inode->ino)
		request_refuse(r, -EPERM, "no descriptor of that folder");
	else {
		r->view->folder = dir->id;
		request_finish(r, json_object());
	}
}
