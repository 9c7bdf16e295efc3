/*
 * One measurement. Everybody opens first; the clock runs from the writer's start to the last reader's
 * end of file, which readers time themselves. Every reader must have got every byte.
 *
 * Where a file is sent, nobody can open first: the clock runs from the first byte that arrives. Where files are
 * received, it runs until the last one has its size: in the page cache, whoever syncs it later.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "stream.h"

#define TIME_LIMIT 20 /* seconds, for one measurement */

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int make_socket(int *ours, int *theirs)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*ours = fds[0];
	*theirs = fds[1];
	return 0;
}

static int start_reader(struct run *run, int i)
{
	struct spawn how = { .keep = &run->peer[i], .keeps = 1 };
	char program[PATH_LEN], fd[16], size[32];
	char *argv[] = { program, "--report", fd, "--await", size, run->out[i], run->hash ? "--hash" : NULL, NULL };

	snprintf(program, sizeof(program), "%s/bench-read", run->programs);
	snprintf(fd, sizeof(fd), "%d", run->peer[i]);
	snprintf(size, sizeof(size), "%ju", run->route == ROUTE_RECEIVE ? (uintmax_t)run->bytes : 0);
	run->reader[i] = spawn(&how, argv);
	return run->reader[i] < 0 ? run->reader[i] : 0;
}

static int start_writer(struct run *run)
{
	char program[PATH_LEN], fd[16], size[16], block[32], total[32];
	char *argv[] = { program, "--report", fd, "--size", size, run->in, block, total, NULL };
	struct spawn how = { .keeps = 1 };
	int peer = -1;
	int err = make_socket(&run->start, &peer);

	if (err < 0)
		return err;
	how.keep = &peer;
	snprintf(program, sizeof(program), "%s/bench-write", run->programs);
	snprintf(fd, sizeof(fd), "%d", peer);
	snprintf(size, sizeof(size), "%d", run->route == ROUTE_PIPES ? run->contender->size : 0);
	snprintf(block, sizeof(block), "%zu", run->block);
	snprintf(total, sizeof(total), "%ju", (uintmax_t)run->bytes);
	run->writer = spawn(&how, argv);
	close(peer);
	return run->writer < 0 ? run->writer : 0;
}

/* Reads exactly @len bytes, unless the time is up or the other side is gone. */
static int receive(int fd, void *buf, size_t len, double deadline)
{
	while (len) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = deadline - now();
		ssize_t n;

		if (interrupted)
			return -EINTR;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
			continue;
		n = read(fd, buf, len);
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		buf = (char *)buf + n;
		len -= (size_t)n;
	}
	return 0;
}

static int launch(struct run *run, double deadline)
{
	const struct contender_ops *ops = run->contender->ops;
	char c = 0;
	int err = 0;

	for (int i = 0; i < run->readers && err == 0; i++)
		err = make_socket(&run->report[i], &run->peer[i]);
	for (int i = 0; i < run->readers && err == 0 && !ops->brings_readers; i++)
		err = start_reader(run, i);
	if (err == 0 && ops->start && run->route != ROUTE_SEND)
		err = ops->start(run);
	for (int i = 0; i < run->readers; i++)
		drop_fd(&run->peer[i]);
	if (err == 0 && run->route != ROUTE_SEND)
		err = start_writer(run);
	if (err == 0 && run->route != ROUTE_SEND)
		err = receive(run->start, &c, 1, deadline);
	for (int i = 0; i < run->readers && err == 0; i++)
		err = receive(run->report[i], &c, 1, deadline);
	return err;
}

static int give_start(struct run *run)
{
	if (run->route == ROUTE_SEND)
		return run->contender->ops->start(run);
	return write(run->start, &(char){ STREAM_GO }, 1) == 1 ? 0 : -errno;
}

static int time_it(struct run *run, double deadline)
{
	const struct contender_ops *ops = run->contender->ops;
	struct usage before = { 0 };
	struct report r;
	double start, end = 0;
	int err;

	run->used = (struct usage){ .cpu = -1, .calls = -1 };
	if (ops->usage)
		ops->usage(run, &before);
	start = now();
	err = give_start(run);
	if (err < 0)
		return err;
	for (int i = 0; i < run->readers; i++) {
		err = receive(run->report[i], &r, sizeof(r), deadline);
		if (err < 0)
			return err;
		if (r.bytes != run->bytes || (i > 0 && r.hash != run->digest)) {
			fprintf(stderr, "bench: reader %d got %ju bytes of %ju%s\n", i, (uintmax_t)r.bytes,
				(uintmax_t)run->bytes, r.bytes == run->bytes ? ", other ones" : "");
			return -EBADMSG;
		}
		run->digest = r.hash;
		if (run->route == ROUTE_SEND)
			start = (double)r.first / 1e9;
		if ((double)r.nsec / 1e9 > end)
			end = (double)r.nsec / 1e9;
	}
	run->seconds = end - start;
	if (ops->usage) {
		ops->usage(run, &run->used);
		run->used.cpu -= before.cpu;
		run->used.wakes -= before.wakes;
		run->used.calls = -1;
	}
	return 0;
}

static int reap(struct run *run)
{
	/* The usage of a child that has readers for children is also theirs. */
	struct usage *used = run->copier && !run->contender->ops->brings_readers ? &run->used : NULL;
	int err = process_wait(&run->writer, 5, NULL);

	for (int i = 0; i < run->readers && err == 0; i++)
		err = process_wait(&run->reader[i], 5, NULL);
	return err < 0 ? err : process_wait(&run->copier, 5, used);
}

int run_once(struct run *run, const struct contender *contender, const struct bench_case *c, uint64_t bytes)
{
	double deadline = now() + TIME_LIMIT;
	char text[CASE_TEXT];
	int err;

	run->contender = contender;
	run->route = c->route;
	run->block = c->block;
	run->readers = c->readers;
	run->bytes = bytes;
	run->writer = run->copier = 0;
	run->start = -1;
	for (int i = 0; i < MAX_READERS; i++) {
		run->reader[i] = 0;
		run->report[i] = run->peer[i] = -1;
	}
	if (c->route == ROUTE_SEND)
		input_name(run->in, run->dir);
	if (c->cold)
		input_cool(run->dir);
	err = contender->ops->setup(run);
	if (err == 0)
		err = launch(run, deadline);
	if (err == 0)
		err = time_it(run, deadline);
	if (err == 0)
		err = reap(run);
	process_kill(&run->copier);
	process_kill(&run->writer);
	for (int i = 0; i < run->readers; i++) {
		process_kill(&run->reader[i]);
		drop_fd(&run->report[i]);
	}
	drop_fd(&run->start);
	contender->ops->finish(run);
	case_text(c, text, sizeof(text));
	if (err < 0 && !interrupted)
		fprintf(stderr, "bench: %s, %s: %s\n", contender->name, text, strerror(-err));
	return err;
}

uint64_t run_expect(size_t block, uint64_t bytes)
{
	unsigned char *buf = malloc(block);
	uint64_t hash = STREAM_HASH, number = 0;

	if (!buf)
		return 0;
	stream_fill(buf, block);
	while (bytes) {
		size_t n = bytes < block ? (size_t)bytes : block;

		stream_stamp(buf, block, number++);
		hash = stream_hash(hash, buf, n);
		bytes -= n;
	}
	free(buf);
	return hash;
}
