/*
 * Opening a path may do harm by itself: a channel of the daemon's own mount gets a reader, a file is made in it,
 * a file is emptied. So a path is looked at first, and what was opened in the end is looked at again, in case the
 * path has changed meanwhile; and it is emptied only then.
 *
 * Some paths mean the process that opens them, which is the daemon: its rights are not the caller's to use, its
 * memory and terminal least of all. Those of /proc and /dev/tty are refused, and so is every link to a descriptor
 * (/dev/stdin, /dev/fd/N; RESOLVE_NO_MAGICLINKS of openat2(2)).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attempt.h"
#include "base.h"
#include "camera.h"

#define DEV_TTY makedev(5, 0) /* admin-guide/devices.txt */

static int refuse(struct attempt *a, const char *why)
{
	uri_why(a->why, "%s", why);
	return -EXDEV;
}

static int check_mount(struct attempt *a, const struct stat *st)
{
	return a->mount && st->st_dev == a->mount ? refuse(a, "a channel of the same mount cannot be a port") : 0;
}

static int check_path(struct attempt *a, const char *path)
{
	struct stat st;

	/* What cannot be looked at cannot be opened either, and that will say why. */
	return stat(path, &st) < 0 ? 0 : check_mount(a, &st);
}

/* Where a file would be made. */
static int check_parent(struct attempt *a)
{
	_cleanup_free_ char *parent = strdup(a->uri.path);

	if (!parent)
		return attempt_failed(a, "open", -ENOMEM);
	strrchr(parent, '/')[1] = '\0';
	return check_path(a, parent);
}

static int check_opened(struct attempt *a, int fd, struct stat *st)
{
	struct statfs fs;

	if (fstat(fd, st) < 0 || fstatfs(fd, &fs) < 0)
		return attempt_failed(a, "open", -errno);
	if (fs.f_type == PROC_SUPER_MAGIC)
		return refuse(a, "files of /proc tell of the daemon, not of you: pass a descriptor");
	if (S_ISCHR(st->st_mode) && st->st_rdev == DEV_TTY)
		return refuse(a, "/dev/tty is the daemon's terminal, not yours: pass a descriptor");
	return check_mount(a, st);
}

/* Returns a descriptor, and what it is in @st; or a negative errno. */
static int open_path(struct attempt *a, int flags, struct stat *st)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC | O_NOCTTY,
		.mode = flags & O_CREAT ? a->uri.create : 0,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_fd_ int fd = -1;
	int err = check_path(a, a->uri.path);

	if (err == 0 && (flags & O_CREAT))
		err = check_parent(a);
	if (err < 0)
		return err;
	do
		fd = (int)syscall(SYS_openat2, AT_FDCWD, a->uri.path, &how, sizeof(how));
	while (fd < 0 && attempt_again(a));
	if (fd < 0)
		return attempt_failed(a, errno == ELOOP ? "open (a link to a descriptor of the daemon?)" : "open",
				      -errno);
	err = check_opened(a, fd, st);
	return err < 0 ? err : fd_take(&fd);
}

/* A regular file is emptied, and whatever may wait for a peer is made not to. */
static int make_ready(const struct attempt *a, int fd, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (S_ISBLK(st->st_mode))
		return 0;
	if (!S_ISREG(st->st_mode))
		return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
	return a->dir == PORT_SINK && !a->uri.append && ftruncate(fd, 0) < 0 ? -errno : 0;
}

int attempt_file(struct attempt *a)
{
	struct stat st;
	_cleanup_fd_ int fd = open_path(a, a->dir == PORT_SINK ? O_WRONLY | O_CREAT : O_RDONLY, &st);
	int err;

	if (fd < 0)
		return fd;
	err = make_ready(a, fd, &st);
	if (err < 0)
		return attempt_failed(a, "open", err);
	a->fd = fd_take(&fd);
	return 0;
}

int attempt_camera(struct attempt *a)
{
	struct stat st;
	int fd = open_path(a, O_RDWR | O_NONBLOCK, &st);

	return fd < 0 ? fd : camera_open(&a->camera, fd, &a->uri, a->why);
}
