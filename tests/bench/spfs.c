/* Channels: one alone, which is a FIFO of the mount, and one with a tap for each reader. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "spfs.h"

static int make_channel(struct run *run)
{
	snprintf(run->in, sizeof(run->in), "%s/bench.%d", run->contender->mount, (int)getpid());
	snprintf(run->out[0], sizeof(run->out[0]), "%s", run->in);
	return mkfifo(run->in, 0600) < 0 ? -errno : 0;
}

static int make_taps(struct run *run)
{
	int err = make_channel(run);

	for (int i = 0; i < run->readers && err == 0; i++) {
		snprintf(run->out[i], sizeof(run->out[i]), "%s/bench.%d.%d", run->contender->mount, (int)getpid(), i);
		if (link(run->in, run->out[i]) < 0)
			err = -errno;
	}
	return err;
}

void spfs_usage(const struct run *run, struct usage *usage)
{
	process_usage(run->contender->daemon, usage);
}

static void remove_names(struct run *run)
{
	unlink(run->in);
	for (int i = 0; i < run->readers; i++)
		unlink(run->out[i]);
}

const struct contender_ops channel_ops = {
	.setup = make_channel,
	.usage = spfs_usage,
	.finish = remove_names,
};

const struct contender_ops tap_ops = {
	.setup = make_taps,
	.usage = spfs_usage,
	.finish = remove_names,
};
