#include "standard-fds.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int standard_fds_hold(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* (the lowest number that is free is this one) */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_PATH) < 0)
			return -errno;
	return 0;
}
