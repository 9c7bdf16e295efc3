/* Sources and sinks of spfs: the daemon is the only process between a file and a socket. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "bench.h"
#include "spfs.h"
#include "tcp.h"

#define NAME_LEN (PATH_LEN + 16)

static int attach(const char *channel, const char *name, const char *scheme, const char *rest)
{
	char uri[2 * PATH_LEN];

	snprintf(uri, sizeof(uri), "%s%s", scheme, rest);
	if (setxattr(channel, name, uri, strlen(uri), 0) == 0)
		return 0;
	fprintf(stderr, "bench: %s=%s: %s\n", name, uri, strerror(errno));
	return -errno;
}

static int setup(struct run *run)
{
	int err = tcp_ends_make(run);

	snprintf(run->channel, sizeof(run->channel), "%s/bench.%d", run->contender->mount, (int)getpid());
	if (err == 0 && mkfifo(run->channel, 0600) < 0)
		err = -errno;
	return err;
}

static int send_start(struct run *run)
{
	int err = attach(run->channel, "spfs.sink", "", run->out[0]);

	return err < 0 ? err : attach(run->channel, "spfs.source", "file:", run->in);
}

/* The origin where there is only one sink, else a tap. */
static void sink_name(char name[NAME_LEN], const struct run *run, int i)
{
	if (run->readers > 1)
		snprintf(name, NAME_LEN, "%s.%d", run->channel, i);
	else
		snprintf(name, NAME_LEN, "%s", run->channel);
}

static int receive_start(struct run *run)
{
	char name[NAME_LEN], listen[64];
	int err = 0;

	for (int i = 0; i < run->readers && err == 0; i++) {
		sink_name(name, run, i);
		if (run->readers > 1 && link(run->channel, name) < 0)
			err = -errno;
		else
			err = attach(name, "spfs.sink", "file:", run->out[i]);
	}
	snprintf(listen, sizeof(listen), "127.0.0.1:%s", tcp_port(run->in));
	return err < 0 ? err : attach(run->channel, "spfs.source", "tcp-listen:", listen);
}

/* A sink syncs its file at the end: not while others are measured. */
static void wait_done(const char *name)
{
	double end = now() + 10;
	char json[65536];
	ssize_t n;

	do {
		n = getxattr(name, "spfs.ports", json, sizeof(json) - 1);
		json[n > 0 ? n : 0] = '\0';
		nap();
	} while (strstr(json, "\"state\":\"running\"") && now() < end && !interrupted);
}

static void finish(struct run *run)
{
	char name[NAME_LEN];

	sink_name(name, run, 0);
	wait_done(name); /* a tap, where there are some: the origin can only be written then */
	for (int i = 0; i < run->readers; i++) {
		sink_name(name, run, i);
		unlink(name);
	}
	unlink(run->channel);
	tcp_ends_remove(run);
}

const struct contender_ops send_ops = {
	.setup = setup,
	.start = send_start,
	.usage = spfs_usage,
	.finish = finish,
};

const struct contender_ops receive_ops = {
	.setup = setup,
	.start = receive_start,
	.usage = spfs_usage,
	.finish = finish,
};
