/*
 * bench-teeloop: standard input to every named FIFO, by tee(2): what the daemon does, with nothing
 * around it. The most that the daemon could reach.
 *
 * A chunk goes into the stage, and from there to each output. What an output does not take of it
 * goes to that output's queue, which is empty then: tee(2) cannot skip, so the queue takes the whole
 * chunk and drops the part that was delivered. The next chunk comes once every queue is empty.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <time.h>

#include "stream.h"

#define SMALL 4096
#define PAUSE_BYTES (64 * 1024)
#define PAUSE_NSEC 250000

struct output {
	int fd; /* -1: its reader has gone */
	int queue[2];
	size_t waiting; /* bytes in the queue */
};

static int stage[2];
static int null;
static struct pollfd *polls; /* one for each output */
static int ring_size = 1 << 20;

static void ring(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		stream_die("pipe");
	if (fcntl(fds[1], F_SETPIPE_SZ, ring_size) < 0)
		stream_die("F_SETPIPE_SZ");
}

static void drop(int fd, size_t len)
{
	while (len) {
		ssize_t n = splice(fd, NULL, null, NULL, len, SPLICE_F_NONBLOCK);

		if (n <= 0)
			stream_die("splice to /dev/null");
		len -= (size_t)n;
	}
}

/* How much of the output took it; what is refused for want of room is none. */
static size_t taken(struct output *o, ssize_t n)
{
	if (n < 0 && errno == EPIPE)
		o->fd = -1;
	else if (n < 0 && errno != EAGAIN)
		stream_die("tee");
	return n < 0 ? 0 : (size_t)n;
}

static void give_chunk(struct output *o, size_t len)
{
	size_t n = taken(o, tee(stage[0], o->fd, len, SPLICE_F_NONBLOCK));

	if (n == len || o->fd < 0)
		return;
	if (tee(stage[0], o->queue[1], len, SPLICE_F_NONBLOCK) != (ssize_t)len)
		stream_die("tee into a queue");
	drop(o->queue[0], n);
	o->waiting = len - n;
}

static void give_copy(struct output *o, const char *buf, size_t len)
{
	size_t n = taken(o, write(o->fd, buf, len));

	if (n == len || o->fd < 0)
		return;
	if (write(o->queue[1], buf + n, len - n) != (ssize_t)(len - n))
		stream_die("write into a queue");
	o->waiting = len - n;
}

/* Until every queue is empty. */
static void drain(struct output *outs, int count)
{

	for (;;) {
		bool any = false;

		for (int i = 0; i < count; i++) {
			struct output *o = &outs[i];

			polls[i] = (struct pollfd){ .fd = o->waiting && o->fd >= 0 ? o->fd : -1, .events = POLLOUT };
			any |= polls[i].fd >= 0;
		}
		if (!any)
			return;
		if (poll(polls, (nfds_t)count, -1) < 0)
			stream_die("poll");
		for (int i = 0; i < count; i++)
			if (polls[i].revents)
				outs[i].waiting -= taken(&outs[i], splice(outs[i].queue[0], NULL, outs[i].fd, NULL,
									  outs[i].waiting, SPLICE_F_NONBLOCK));
	}
}

/* Takes the next chunk; false at the end of the stream. */
static bool next(struct output *outs, int count)
{
	static char buf[SMALL];
	ssize_t n = splice(STDIN_FILENO, NULL, stage[1], NULL, 1 << 30, SPLICE_F_NONBLOCK);
	bool small = n > 0 && n < SMALL;

	if (n == 0)
		return false;
	if (n < 0 && errno != EAGAIN)
		stream_die("splice from standard input");
	if (n < 0) {
		if (poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, -1) < 0)
			stream_die("poll");
		return true;
	}
	if (small)
		n = read(stage[0], buf, SMALL);
	for (int i = 0; i < count; i++) {
		if (outs[i].fd < 0)
			continue;
		if (small)
			give_copy(&outs[i], buf, (size_t)n);
		else
			give_chunk(&outs[i], (size_t)n);
	}
	if (!small)
		drop(stage[0], (size_t)n);
	return true;
}

int main(int argc, char **argv)
{
	struct output *outs = calloc((size_t)argc, sizeof(*outs));
	int count = 0, waiting;

	polls = calloc((size_t)argc, sizeof(*polls));

	if (argc > 2 && strcmp(argv[1], "--size") == 0) {
		ring_size = atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc < 2 || ring_size <= 0 || !outs || !polls) {
		fputs("usage: bench-teeloop [--size BYTES] FIFO...\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ring(stage);
	for (; count < argc - 1; count++) {
		outs[count].fd = open(argv[count + 1], O_WRONLY);
		if (outs[count].fd < 0 || fcntl(outs[count].fd, F_SETFL, O_NONBLOCK) < 0 ||
		    fcntl(outs[count].fd, F_SETPIPE_SZ, ring_size) < 0)
			stream_die(argv[count + 1]);
		ring(outs[count].queue);
	}
	if (fcntl(STDIN_FILENO, F_SETPIPE_SZ, ring_size) < 0)
		stream_die("standard input");

	while (next(outs, count)) {
		drain(outs, count);
		/* Many small writes: gather some, as the daemon does. */
		if (ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting > 0 && waiting < PAUSE_BYTES)
			nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NSEC }, NULL);
	}
	return 0;
}
