#include "opened.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base.h"
#include "deferred-close.h"
#include "file-claim.h"

/* File systems whose size is in memory once a file is open: no server, no process is asked. */
static bool opened_is_local(int fd)
{
	static const __fsword_t local[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
					    TMPFS_MAGIC };
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return false;
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		if (st.f_type == local[i])
			return true;
	return false;
}

int opened_look(struct opened *o)
{
	struct statx st;

	if (statx(o->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &st) < 0)
		return -errno;
	o->type = st.stx_mode & S_IFMT;
	o->size = st.stx_size;
	o->local = S_ISREG(o->type) && opened_is_local(o->fd);
	o->terminal = S_ISCHR(o->type) && isatty(o->fd);
	return 0;
}

void opened_close(struct opened *o, uid_t uid)
{
	file_claim_drop(o->claim);
	if (o->ops)
		deferred_close_by(o->ops->close, o->state, uid);
	else
		deferred_close(&o->fd, uid);
	free(o->path);
	*o = OPENED_NONE;
}

void opened_close_here(struct opened *o)
{
	file_claim_drop(o->claim);
	if (o->ops)
		o->ops->close(o->state);
	else
		fd_close(&o->fd);
	free(o->path);
	*o = OPENED_NONE;
}

bool opened_close_begin(struct opened *o, struct deferred_close *c)
{
	const struct opened it = opened_take(o);

	file_claim_drop(it.claim);
	free(it.path);
	if (it.fd < 0)
		return false;
	deferred_close_begin(c, it.fd, it.ops ? it.ops->close : NULL, it.state);
	return true;
}
