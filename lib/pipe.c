#include "pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include "base.h"
#include "sys.h"

int pipe_grow(int fd, int size)
{
	int page = (int)sysconf(_SC_PAGESIZE);
	int now = fcntl(fd, F_GETPIPE_SZ);

	for (; size > now && size >= page; size /= 2) {
		int granted = sys.resize(fd, size);

		if (granted > 0)
			return granted;
	}
	return now;
}

int pipe_open(struct pipe *p, int size)
{
	int fds[2];
	int err = sys.pipe(fds, O_NONBLOCK);

	if (err < 0)
		return err;
	p->rd = fds[0];
	p->wr = fds[1];
	return pipe_grow(p->wr, size);
}

void pipe_close(struct pipe *p)
{
	fd_close(&p->rd);
	fd_close(&p->wr);
}
