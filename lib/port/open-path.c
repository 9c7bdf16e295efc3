/*
 * Opening a path may do harm by itself: a channel of the daemon's own mount gets a reader, a file is made in it,
 * a file is emptied. So a path is looked at first, and what was opened in the end is looked at again, in case the
 * path has changed meanwhile; and it is emptied only then.
 *
 * Some paths mean the process that opens them, which is the daemon: its rights are not the caller's to use, its
 * memory and terminal least of all. Those of /proc and /dev/tty are refused, and so is every link to a descriptor
 * (/dev/stdin, /dev/fd/N; RESOLVE_NO_MAGICLINKS of openat2(2)).
 */
#include "open-path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"

#define DEV_TTY makedev(5, 0) /* admin-guide/devices.txt */

static int open_check_mount(struct attempt *a, const struct stat *st)
{
	if (!a->mount || st->st_dev != a->mount)
		return 0;
	return uri_refuse(a->why, -EXDEV, "a channel of the same mount cannot be a port");
}

static int open_check_path(struct attempt *a, const char *path)
{
	struct stat st;

	/* What cannot be looked at cannot be opened either, and that will say why. */
	return stat(path, &st) < 0 ? 0 : open_check_mount(a, &st);
}

/* Where a file would be made. */
static int open_check_parent(struct attempt *a)
{
	_cleanup_free_ char *parent = strdup(a->uri.path);

	if (!parent)
		return attempt_failed(a, "open", -ENOMEM);
	strrchr(parent, '/')[1] = '\0';
	return open_check_path(a, parent);
}

static int open_check_opened(struct attempt *a, int fd, struct stat *st)
{
	struct statfs fs;

	if (fstat(fd, st) < 0 || fstatfs(fd, &fs) < 0)
		return attempt_failed(a, "open", -errno);
	if (fs.f_type == PROC_SUPER_MAGIC)
		return uri_refuse(a->why, -EXDEV, "files of /proc tell of the daemon, not of you: pass a descriptor");
	if (S_ISCHR(st->st_mode) && st->st_rdev == DEV_TTY)
		return uri_refuse(a->why, -EXDEV, "/dev/tty is the daemon's terminal, not yours: pass a descriptor");
	return open_check_mount(a, st);
}

int open_path(struct attempt *a, int flags, mode_t mode, struct stat *st)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC | O_NOCTTY,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_fd_ int fd = -1;
	int err = open_check_path(a, a->uri.path);

	if (err == 0 && (flags & O_CREAT))
		err = open_check_parent(a);
	if (err < 0)
		return err;
	do
		fd = (int)syscall(SYS_openat2, AT_FDCWD, a->uri.path, &how, sizeof(how));
	while (fd < 0 && attempt_again(a));
	if (fd < 0)
		return attempt_failed(a, errno == ELOOP ? "open (a link to a descriptor of the daemon?)" : "open",
				      -errno);
	err = open_check_opened(a, fd, st);
	return err < 0 ? err : fd_take(&fd);
}
