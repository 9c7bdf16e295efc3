/*
 * Opens go through the daemon's private view of its own mount, and never through a name of a user's: who serves the
 * mount answers these look-ups itself, so they must not come from the thread that does.
 */
#include "fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base.h"
#include "sys.h"

void fifo_name(char name[FIFO_NAME_MAX], uint64_t id)
{
	snprintf(name, FIFO_NAME_MAX, "%016" PRIx64, id);
}

/* Whether @fd is below the reserve, and 1/@share of all. */
static int fifo_fd_check_share(int fd, unsigned share)
{
	struct rlimit limit;
	rlim_t kept;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	kept = FIFO_FD_RESERVE + (share ? limit.rlim_cur / share : 0);
	return (rlim_t)fd + kept >= limit.rlim_cur ? -EMFILE : 0;
}

int fifo_fd_check(int fd)
{
	return fifo_fd_check_share(fd, 0);
}

int fifo_fd_check_many(int fd)
{
	return fifo_fd_check_share(fd, 4);
}

int fifo_open(const struct fifo *fifo, int flags, int reserve)
{
	_cleanup_fd_ int fd = -1;
	char name[FIFO_NAME_MAX];
	int err;

	fifo_name(name, fifo->id);
	fd = sys.open(fifo->dir, name, flags | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	err = reserve ? 0 : fifo_fd_check(fd);
	return err < 0 ? err : fd_take(&fd);
}

int fifo_open_held(const struct fifo *fifo, int reserve)
{
	_cleanup_fd_ int rd = fifo_open(fifo, O_RDONLY, reserve);
	_cleanup_fd_ int wr = -1;
	char path[32];
	int err;

	if (rd < 0)
		return rd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		 rd); /* by its number it would have to be looked up once more */
	wr = sys.open(fifo->dir, path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
	if (wr < 0)
		return wr;
	err = reserve ? 0 : fifo_fd_check(wr);
	return err < 0 ? err : fd_take(&wr);
}
