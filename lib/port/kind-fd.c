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
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"
#include "open-path.h"
#include "open-socket.h"
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

static int kind_fd_open(struct attempt *a)
{
	int err = open_check_passed(a, a->opened.fd);

	if (err < 0)
		return err;
	kind_fd_open_terminal(a);
	socket_set_up_shared(a->opened.fd);
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
