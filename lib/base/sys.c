#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

static ssize_t sys_result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static ssize_t sys_splice(int in, int out, size_t len)
{
	return sys_result(splice(in, NULL, out, NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
}

static ssize_t sys_splice_more(int in, int out, size_t len)
{
	return sys_result(splice(in, NULL, out, NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE | SPLICE_F_MORE));
}

static ssize_t sys_tee(int in, int out, size_t len)
{
	return sys_result(tee(in, out, len, SPLICE_F_NONBLOCK));
}

static ssize_t sys_read(int fd, void *buf, size_t len)
{
	return sys_result(read(fd, buf, len));
}

static ssize_t sys_write(int fd, const void *buf, size_t len)
{
	return sys_result(write(fd, buf, len));
}

static int sys_waiting(int fd)
{
	int bytes = 0;

	return ioctl(fd, FIONREAD, &bytes) < 0 ? -errno : bytes;
}

static int sys_open(int dir, const char *name, int flags)
{
	return (int)sys_result(openat(dir, name, flags | O_CLOEXEC));
}

static int sys_pipe(int fds[2], int flags)
{
	return (int)sys_result(pipe2(fds, flags | O_CLOEXEC));
}

static int sys_resize(int fd, int bytes)
{
	return (int)sys_result(fcntl(fd, F_SETPIPE_SZ, bytes));
}

struct sys sys = {
	.splice = sys_splice,
	.splice_more = sys_splice_more,
	.tee = sys_tee,
	.read = sys_read,
	.write = sys_write,
	.waiting = sys_waiting,
	.open = sys_open,
	.pipe = sys_pipe,
	.resize = sys_resize,
};
