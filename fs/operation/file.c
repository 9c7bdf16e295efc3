#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "reply.h"

/* Also root may not write: the kernel lets it pass. */
void file_open(fuse_req_t req, const struct node *node, struct fuse_file_info *fi)
{
	if ((fi->flags & O_ACCMODE) != O_RDONLY || (fi->flags & O_TRUNC)) {
		reply_error(req, -EACCES);
		return;
	}
	fi->keep_cache = 1; /* it never changes */
	fuse_reply_open(req, fi);
}

void file_read(fuse_req_t req, const struct node *node, size_t size, off_t off)
{
	const struct node_text *t = node->text;
	size_t at = (uint64_t)off < t->len ? (size_t)off : t->len;

	fuse_reply_buf(req, t->text + at, size < t->len - at ? size : t->len - at);
}

void file_poll(fuse_req_t req, struct fuse_pollhandle *ph)
{
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN | POLLRDNORM);
}
