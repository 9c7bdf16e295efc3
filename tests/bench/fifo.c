/* Plain FIFOs: one alone as a contender, and the ends of every contender that copies. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fifo.h"

int fifos_make(struct run *run)
{
	snprintf(run->in, sizeof(run->in), "%s/in", run->dir);
	if (mkfifo(run->in, 0600) < 0)
		return -errno;
	for (int i = 0; i < run->readers; i++) {
		snprintf(run->out[i], sizeof(run->out[i]), "%s/out%d", run->dir, i);
		if (mkfifo(run->out[i], 0600) < 0)
			return -errno;
	}
	return 0;
}

void fifos_remove(struct run *run)
{
	unlink(run->in);
	for (int i = 0; i < run->readers; i++)
		unlink(run->out[i]);
}

static int setup(struct run *run)
{
	snprintf(run->in, sizeof(run->in), "%s/fifo", run->dir);
	snprintf(run->out[0], sizeof(run->out[0]), "%s", run->in);
	return mkfifo(run->in, 0600) < 0 ? -errno : 0;
}

const struct contender_ops fifo_ops = { .setup = setup, .finish = fifos_remove };
