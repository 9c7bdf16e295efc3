/*
 * A descriptor that somebody has passed: whatever moves bytes by a descriptor may become of it. What has to be asked of
 * its file system is asked here, on the thread of an opening.
 */
#include "kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"
#include "open-path.h"
#include "port-file.h"
#include "port-listen.h"
#include "port-ops.h"
#include "port-stream.h"
#include "uri-option.h"

/*
 * Where a passed file stands. Not by lseek(2), which waits for whoever is reading or writing by the same open file;
 * proc_pid_fdinfo(5) does not.
 */
static uint64_t kind_fd_position(int fd)
{
	char name[40], line[64] = "";
	uint64_t at = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	file = fopen(name, "re");
	if (file && fgets(line, sizeof(line), file))
		sscanf(line, "pos: %" SCNu64, &at);
	if (file)
		fclose(file);
	return at;
}

/*
 * Of a file system that hangs, even of this one: statx(2) does not ask it (AT_STATX_DONT_SYNC), and with no field wanted
 * tells the device also of one that root may not look at.
 */
static int kind_fd_check(struct attempt *a, int fd)
{
	bool source = a->dir == PORT_SOURCE;
	int flags = fcntl(fd, F_GETFL);
	struct statx st;

	if (flags < 0)
		return uri_refuse(a->why, -errno, strerror(errno));
	if (flags & O_PATH)
		return uri_refuse(a->why, -EBADF, "the descriptor is O_PATH, not open");
	if ((flags & O_ACCMODE) == (source ? O_WRONLY : O_RDONLY))
		return uri_refuse(a->why, -EBADF,
				  source ? "the descriptor is not open for reading" :
					   "the descriptor is not open for writing");
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) < 0)
		return uri_refuse(a->why, -errno, strerror(errno));
	if (makedev(st.stx_dev_major, st.stx_dev_minor) == a->mount)
		return uri_refuse(a->why, -ELOOP, "the descriptor is of this mount");
	return open_check_file_system(a, fd);
}

/*
 * A terminal by whose number the kernel finds the same one again: the slave of a pseudo terminal, a console or a serial
 * line. Not so the master of one (/dev/ptmx), or what means a terminal of the process (/dev/tty) or the one in front
 * (/dev/tty0). See admin-guide/devices.txt.
 */
static bool kind_fd_is_terminal(const struct statx *st)
{
	if (!S_ISCHR(st->stx_mode))
		return false;
	return (st->stx_rdev_major >= UNIX98_PTY_SLAVE_MAJOR &&
		st->stx_rdev_major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT) ||
	       (st->stx_rdev_major == TTY_MAJOR && st->stx_rdev_minor != 0);
}

/*
 * Who writes to a terminal that takes nothing waits, unless its open file says otherwise (O_NONBLOCK); but that which was
 * passed is the user's as well, to whom it would say so too. So a terminal is opened anew, with the user's rights, and
 * goes on by what was passed where he may not.
 */
static void kind_fd_open_terminal(struct attempt *a)
{
	int flags = a->dir == PORT_SOURCE ? O_RDONLY : O_WRONLY, fd;
	struct statx st;
	char name[40];

	if (statx(a->opened.fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) < 0 || !kind_fd_is_terminal(&st) ||
	    rights_take(&a->rights) < 0)
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", a->opened.fd);
	fd = open(name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	fd_close(&a->opened.fd);
	a->opened.fd = fd;
}

/* It is somebody else's as well, who may hold its lock: so what is to be set is set here. */
static void kind_fd_set_up_socket(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &(int){ 1 }, sizeof(int)); /* urgent data is a part of the stream */
}

static int kind_fd_open(struct attempt *a)
{
	int err = kind_fd_check(a, a->opened.fd);

	if (err < 0)
		return err;
	kind_fd_open_terminal(a);
	kind_fd_set_up_socket(a->opened.fd);
	a->opened.position = kind_fd_position(a->opened.fd);
	if (a->dir == PORT_SINK)
		return file_port_claim(a, a->opened.fd);
	file_port_advise(a->opened.fd);
	return 0;
}

static const struct uri_option *const fd_options[] = { NULL };

static const struct port_ops *const fd_ops[] = {
	&port_file_source, &port_file_sink, &port_stream, &port_listen_source, &port_listen_sink, NULL,
};

const struct port_kind port_kind_fd = {
	.name = "fd",
	.dirs = PORT_SOURCES | PORT_SINKS,
	.passed = true,
	.options = fd_options,
	.open = kind_fd_open,
	.ops = fd_ops,
};
