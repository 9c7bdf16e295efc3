/*
 * bench-many: many channels with two taps each, all active at once, against one of them: how much goes through in all.
 * One process writes to whatever has room, 64 KiB at a time, another reads whatever there is (epoll), so that nothing
 * but the number of channels differs. The same with FIFOs tells what the number alone costs, in memory and in these two
 * processes. In turns within each round; the clock runs from when every channel has given
 * its first block, so that all is made by then, to the last end of file.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "bench.h"
#include "stream.h"

#define BLOCK (64 << 10)
#define TAPS 2 /* of a channel; without them it is a FIFO */
#define EVENTS 256

static char block[BLOCK];

static void name(char text[PATH_LEN], const char *mount, int channel, int tap)
{
	int n = snprintf(text, PATH_LEN, "%s/many.%d.%d", mount, (int)getpid(), channel);

	if (tap >= 0)
		snprintf(text + n, PATH_LEN - (size_t)n, ".%d", tap);
}

static void make_all(const char *mount, int channels, int taps)
{
	char in[PATH_LEN], out[PATH_LEN];

	for (int c = 0; c < channels; c++) {
		name(in, mount, c, -1);
		if (mkfifo(in, 0600) < 0)
			stream_die(in);
		for (int t = 0; t < taps; t++) {
			name(out, mount, c, t);
			if (link(in, out) < 0)
				stream_die(out);
		}
	}
}

static void remove_all(const char *mount, int channels)
{
	char text[PATH_LEN];

	for (int c = 0; c < channels; c++)
		for (int t = TAPS - 1; t >= -1; t--) {
			name(text, mount, c, t);
			unlink(text);
		}
}

/* Returns the descriptor. */
static int add(int epoll, const char *path, int flags, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = open(path, flags | O_NONBLOCK | O_CLOEXEC) };

	if (e.data.fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e) < 0)
		stream_die(path);
	return e.data.fd;
}

/*
 * Says "r" once all is open, "w" when a block has come from each, and "e" when everything has ended; exits with 1
 * unless @expect bytes have come.
 */
static void reader(int epoll, int open_taps, uint64_t expect, int report)
{
	struct epoll_event events[EVENTS];
	uint64_t bytes = 0, warm = (uint64_t)open_taps * BLOCK;

	if (write(report, "r", 1) != 1)
		_exit(1);
	while (open_taps) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			ssize_t got = read(events[i].data.fd, block, sizeof(block));

			if (got > 0)
				bytes += (uint64_t)got;
			if (got > 0 && bytes == warm && write(report, "w", 1) != 1)
				_exit(1);
			if (got == 0) {
				close(events[i].data.fd);
				open_taps--;
			}
		}
	}
	_exit(bytes == expect && write(report, "e", 1) == 1 ? 0 : 1);
}

/* @each bytes to each. */
static void write_all(int epoll, int channels, uint64_t each)
{
	struct epoll_event events[EVENTS];
	uint64_t *left = calloc(1 << 16, sizeof(*left)); /* by descriptor */

	while (channels) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			size_t want = each - left[fd] < BLOCK ? (size_t)(each - left[fd]) : BLOCK;
			ssize_t done = write(fd, block, want);

			if (done < 0 && errno != EAGAIN)
				stream_die("write");
			left[fd] += done > 0 ? (uint64_t)done : 0;
			if (left[fd] < each)
				continue;
			close(fd);
			left[fd] = 0;
			channels--;
		}
	}
	free(left);
}

/* Returns MiB/s that went in. */
static double run(const char *mount, int channels, int taps, uint64_t total)
{
	int in = epoll_create1(EPOLL_CLOEXEC), out = epoll_create1(EPOLL_CLOEXEC), report[2];
	uint64_t each = total / (uint64_t)channels;
	char path[PATH_LEN], c;
	double start;
	pid_t pid;

	make_all(mount, channels, taps);
	if (pipe2(report, O_CLOEXEC) < 0)
		stream_die("pipe");
	pid = fork();
	if (pid == 0) {
		int ends = taps ? taps : 1;

		for (int k = 0; k < channels * ends; k++) {
			int n = snprintf(path, sizeof(path), "%s/many.%d.%d", mount, (int)getppid(), k / ends);

			if (taps)
				snprintf(path + n, sizeof(path) - (size_t)n, ".%d", k % ends);
			add(out, path, O_RDONLY, EPOLLIN);
		}
		reader(out, channels * ends, (each + BLOCK) * (uint64_t)(channels * ends), report[1]);
	}
	close(report[1]);
	if (read(report[0], &c, 1) != 1)
		stream_die("the reader");
	for (int k = 0; k < channels; k++) {
		name(path, mount, k, -1);
		if (write(add(in, path, O_WRONLY, EPOLLOUT), block, BLOCK) != BLOCK)
			stream_die(path);
	}
	if (read(report[0], &c, 1) != 1)
		stream_die("the reader");
	start = now();
	write_all(in, channels, each);
	if (read(report[0], &c, 1) != 1)
		stream_die("the reader has not got everything");
	start = now() - start;
	process_wait(&pid, 5, NULL);
	close(report[0]);
	close(in);
	close(out);
	remove_all(mount, channels);
	return (double)each * channels / start / (1 << 20);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, const double *many, const double *one, int rounds, int channels, double goal)
{
	double ratios[MAX_ROUNDS], best[2] = { 0 }, ratio;

	for (int k = 0; k < rounds; k++) {
		ratios[k] = many[k] / one[k];
		best[0] = one[k] > best[0] ? one[k] : best[0];
		best[1] = many[k] > best[1] ? many[k] : best[1];
	}
	qsort(ratios, (size_t)rounds, sizeof(*ratios), ascending);
	ratio = (ratios[(rounds - 1) / 2] + ratios[rounds / 2]) / 2;
	printf("%-20s  %d: best %5.0f MiB/s  1: best %5.0f MiB/s  x best %.2f  x median %.2f", what, channels, best[1],
	       best[0], best[1] / best[0], ratio);
	if (goal > 0)
		printf("  goal %.2f %s", goal, ratio >= goal ? "ok" : "short");
	putchar('\n');
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 0, channels = argc > 3 ? atoi(argv[3]) : 0;
	uint64_t total = argc > 4 ? strtoull(argv[4], NULL, 0) << 20 : 0;
	static double rates[4][MAX_ROUNDS]; /* FIFOs: one, many; channels with taps: one, many */
	struct rlimit files;

	if (argc != 5 || rounds < 1 || rounds > MAX_ROUNDS || channels < 2 || channels > 10000 || !total) {
		fputs("usage: bench-many MOUNT ROUNDS CHANNELS MEBIBYTES\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	stream_fill((unsigned char *)block, sizeof(block));
	for (int round = 0; round < rounds; round++)
		for (int k = 0; k < 4; k++) {
			int i = (k + round) % 4;

			rates[i][round] = run(argv[1], i % 2 ? channels : 1, i / 2 * TAPS, total);
		}
	print("channels, 2 taps", rates[3], rates[2], rounds, channels, 0.7);
	print("channels, no taps", rates[1], rates[0], rounds, channels, 0);
	return 0;
}
