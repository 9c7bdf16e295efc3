/*
 * bench-latency: how long a message of 64 bytes is on its way, one at a time, from before the write to after the read
 * of whoever has it last. A FIFO with one reader, two FIFOs with a reader each (the writer writes twice), a FIFO whose
 * reader writes into two others (as tee does: the least that a process in the middle costs), and a channel with two
 * taps, in turns within each round.
 *
 * The readers tell that they have it by another pipe, after they have looked at the clock, so that is in no number.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bench.h"
#include "stream.h"

#define MESSAGE 64
#define READERS 2

struct way {
	const char *name;
	int readers;
	bool taps, tee;
	double *p50, *p99; /* of each round, microseconds */
	double wakes;      /* of the daemon for each message, of the last round */
};

struct bench {
	const char *mount;
	pid_t daemon;
	char dir[PATH_LEN / 2];
	int messages;
	double *took; /* shared: of reader r and message i at [r * messages + i] */
};

/* Reads messages until the end. */
static void reader(const struct bench *b, const char *name, int r, int ack)
{
	int fd = open(name, O_RDONLY), i = 0;
	double sent, message[MESSAGE / sizeof(double)];

	if (fd < 0 || write(ack, "r", 1) != 1)
		stream_die(name);
	while (read(fd, message, sizeof(message)) == sizeof(message)) {
		sent = message[0];
		if (i < b->messages)
			b->took[r * b->messages + i++] = now() - sent;
		if (write(ack, "a", 1) != 1)
			break;
	}
	_exit(0);
}

/* What tee(1) does. */
static void copier(const struct bench *b, const char *in)
{
	char name[PATH_LEN], message[MESSAGE];
	int fd = open(in, O_RDONLY), out[READERS];

	for (int r = 0; r < READERS; r++) {
		snprintf(name, sizeof(name), "%s/out%d", b->dir, r);
		out[r] = open(name, O_WRONLY);
	}
	while (read(fd, message, sizeof(message)) == sizeof(message))
		for (int r = 0; r < READERS; r++)
			if (write(out[r], message, sizeof(message)) != sizeof(message))
				_exit(1);
	_exit(0);
}

/* The FIFOs or channels that the writer writes to. */
static int inputs(const struct way *w)
{
	return w->taps || w->tee ? 1 : w->readers;
}

static void wait_acks(int ack, int count)
{
	char buf[READERS];

	while (count) {
		ssize_t n = read(ack, buf, (size_t)count);

		if (n <= 0)
			stream_die("a reader has gone");
		count -= (int)n;
	}
}

static void make_names(const struct bench *b, const struct way *w, char in[READERS][PATH_LEN],
		       char out[READERS][PATH_LEN])
{
	for (int r = 0; r < w->readers; r++) {
		if (w->taps) {
			snprintf(in[r], PATH_LEN, "%s/latency.%d", b->mount, (int)getpid());
			snprintf(out[r], PATH_LEN, "%s/latency.%d.%d", b->mount, (int)getpid(), r);
		} else {
			snprintf(in[r], PATH_LEN, "%s/in%d", b->dir, r);
			memcpy(out[r], in[r], PATH_LEN);
		}
		if (w->tee)
			snprintf(out[r], PATH_LEN, "%s/out%d", b->dir, r);
		if (w->tee && mkfifo(out[r], 0600) < 0)
			stream_die(out[r]);
		if (r < inputs(w) && mkfifo(in[r], 0600) < 0)
			stream_die(in[r]);
		if (w->taps && link(in[r], out[r]) < 0)
			stream_die(out[r]);
	}
}

static void send_all(const struct bench *b, const struct way *w, const int *fds, int ack)
{
	double message[MESSAGE / sizeof(double)] = { 0 };

	for (int i = 0; i < b->messages; i++) {
		message[0] = now();
		for (int k = 0; k < inputs(w); k++)
			if (write(fds[k], message, sizeof(message)) != sizeof(message))
				stream_die("write");
		wait_acks(ack, w->readers);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void evaluate(const struct bench *b, struct way *w, int round)
{
	for (int i = 0; i < b->messages && w->readers > 1; i++)
		if (b->took[i] < b->took[b->messages + i])
			b->took[i] = b->took[b->messages + i];
	qsort(b->took, (size_t)b->messages, sizeof(double), ascending);
	w->p50[round] = b->took[b->messages / 2] * 1e6;
	w->p99[round] = b->took[(size_t)b->messages * 99 / 100] * 1e6;
}

static void run(const struct bench *b, struct way *w, int round)
{
	char in[READERS][PATH_LEN], out[READERS][PATH_LEN];
	struct usage before, after;
	pid_t pids[READERS], middle = 0;
	int fds[READERS], acks[2];

	make_names(b, w, in, out);
	if (pipe2(acks, O_CLOEXEC) < 0)
		stream_die("pipe");
	for (int r = 0; r < w->readers; r++) {
		pids[r] = fork();
		if (pids[r] == 0)
			reader(b, out[r], r, acks[1]);
	}
	if (w->tee) {
		middle = fork();
		if (middle == 0)
			copier(b, in[0]);
	}
	for (int r = 0; r < inputs(w); r++) /* after every fork: a reader must not have it open */
		fds[r] = open(in[r], O_WRONLY | O_CLOEXEC);
	wait_acks(acks[0], w->readers);
	process_usage(b->daemon, &before);
	send_all(b, w, fds, acks[0]);
	process_usage(b->daemon, &after);
	w->wakes = (after.wakes - before.wakes) / b->messages;
	for (int r = 0; r < inputs(w); r++)
		close(fds[r]);
	process_wait(&middle, 5, NULL);
	process_kill(&middle);
	for (int r = 0; r < w->readers; r++) {
		process_wait(&pids[r], 5, NULL);
		process_kill(&pids[r]);
		unlink(out[r]);
	}
	unlink(in[0]);
	close(acks[0]);
	close(acks[1]);
	evaluate(b, w, round);
}

static double least(const double *values, int count)
{
	double min = values[0];

	for (int i = 1; i < count; i++)
		min = values[i] < min ? values[i] : min;
	return min;
}

static double middle(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), ascending);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void print(struct way *ways, int count, int rounds)
{
	double *ratios = calloc((size_t)rounds, sizeof(*ratios));

	puts("64 bytes, us     p50 best  p50 median  p99 median  x p50 of a FIFO  wakes/message");
	for (int i = count - 1; i >= 0; i--) { /* the FIFO's rounds are sorted last */
		for (int k = 0; k < rounds; k++)
			ratios[k] = ways[i].p50[k] / ways[0].p50[k];
		printf("%-15s  %8.1f", ways[i].name, least(ways[i].p50, rounds));
		printf("  %10.1f  %10.1f  %15.2f", middle(ways[i].p50, rounds), middle(ways[i].p99, rounds),
		       middle(ratios, rounds));
		if (ways[i].taps)
			printf("  %13.2f  goal 3.00 %s", ways[i].wakes, ratios[rounds / 2] <= 3 ? "ok" : "over");
		putchar('\n');
	}
	puts("Until the last reader has it; the median of the ratios of each round is what the goal is held against.");
	free(ratios);
}

int main(int argc, char **argv)
{
	struct way ways[] = {
		{ "FIFO", 1 },
		{ "2 FIFOs", 2 },
		{ "FIFO, 2 FIFOs", 2, .tee = true },
		{ "channel, 2 taps", 2, .taps = true },
	};
	const int count = sizeof(ways) / sizeof(ways[0]);
	int rounds = argc > 3 ? atoi(argv[3]) : 0;
	struct bench b = { .dir = "/tmp/spfs-bench.XXXXXX", .messages = argc > 4 ? atoi(argv[4]) : 0 };

	if (argc != 5 || rounds < 1 || rounds > MAX_ROUNDS || b.messages < 100) {
		fputs("usage: bench-latency MOUNT DAEMON ROUNDS MESSAGES\n", stderr);
		return 2;
	}
	b.mount = argv[1];
	b.daemon = atoi(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	b.took = mmap(NULL, sizeof(double) * READERS * (size_t)b.messages, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b.took == MAP_FAILED || !mkdtemp(b.dir))
		stream_die("no room");
	for (int i = 0; i < count; i++) {
		ways[i].p50 = calloc((size_t)rounds, sizeof(double));
		ways[i].p99 = calloc((size_t)rounds, sizeof(double));
	}
	for (int round = 0; round < rounds; round++)
		for (int k = 0; k < count; k++)
			run(&b, &ways[(k + round) % count], round);
	print(ways, count, rounds);
	for (int i = 0; i < count; i++) {
		free(ways[i].p50);
		free(ways[i].p99);
	}
	rmdir(b.dir);
	return 0;
}
