/* Who started the daemon, into the background, is told that the mount answers. */
#include "server-parts.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base.h"
#include "log.h"

/* Tells who started the daemon that the mount answers, and lets go of their terminal. */
static void server_detach(struct loop_io *io, int res)
{
	struct server *s = container_of(io, struct server, ready_io);
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (write(s->ready, "", 1) != 1)
		log_err("cannot tell that the mount is ready: %m");
	fd_close(&s->ready);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

void server_ready(void *data)
{
	struct server *s = data;

	if (s->ready < 0 || s->ctx.leaving)
		return;
	log_copy_to(-1);
	loop_io_init(&s->ready_io, s->ctx.loop, server_detach);
	loop_io_poll(&s->ready_io, s->ready, POLLOUT);
}
