/*
 * bench-each: a broadcast name against named taps. How much goes through to READERS readers, each of whom has a tap by
 * name, or has opened the same broadcast name; and what an open of either costs, with the same readers there already.
 * In turns within each round.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "bench.h"
#include "stream.h"

#define BLOCK (64 << 10)
#define READERS 4
#define OPENS 300

static char in[PATH_LEN], out[READERS][PATH_LEN];
static unsigned char block[BLOCK];

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void make_names(const char *mount, bool each)
{
	snprintf(in, sizeof(in), "%s/each.%d", mount, (int)getpid());
	if (mkfifo(in, 0600) < 0)
		stream_die(in);
	for (int r = 0; r < READERS; r++) {
		snprintf(out[r], sizeof(out[r]), "%s/each.%d.%d", mount, (int)getpid(), each ? 0 : r);
		if (each && r == 0 && setxattr(in, "spfs.each", out[r], strlen(out[r]), 0) < 0)
			stream_die(out[r]);
		if (!each && link(in, out[r]) < 0)
			stream_die(out[r]);
	}
}

static void remove_names(void)
{
	for (int r = 0; r < READERS; r++)
		unlink(out[r]);
	unlink(in);
}

static void reader(const char *name, int ready)
{
	static char buf[STREAM_READ];
	int fd = open(name, O_RDONLY);
	ssize_t n;

	if (fd < 0 || write(ready, "r", 1) != 1)
		stream_die(name);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	_exit(n < 0);
}

/* The median of OPENS, in microseconds; with a pause between them, as people and programs open, or one after the other. */
static double open_all(bool pause)
{
	static double took[OPENS];

	for (int i = 0; i < OPENS; i++) {
		double start = now();
		int fd = open(out[0], O_RDONLY | O_NONBLOCK);

		took[i] = (now() - start) * 1e6;
		if (fd < 0)
			stream_die(out[0]);
		close(fd);
		if (pause)
			nap();
	}
	qsort(took, OPENS, sizeof(*took), ascending);
	return took[OPENS / 2];
}

/* MiB/s; *opens: what an open costs; *row: what it costs in a row of them. */
static double run(const char *mount, bool each, uint64_t total, double *opens, double *row)
{
	pid_t pids[READERS];
	int ready[2], fd;
	double start;
	char r;

	make_names(mount, each);
	if (pipe2(ready, O_CLOEXEC) < 0)
		stream_die("pipe");
	fd = each ? open(in, O_WRONLY | O_CLOEXEC) : -1;
	for (int i = 0; i < READERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			if (fd >= 0)
				close(fd);
			reader(out[i], ready[1]);
		}
	}
	if (fd < 0)
		fd = open(in, O_WRONLY | O_CLOEXEC);
	for (int i = 0; i < READERS; i++)
		if (fd < 0 || read(ready[0], &r, 1) != 1)
			stream_die(in);
	*opens = open_all(true);
	*row = open_all(false);
	start = now();
	for (uint64_t done = 0; done < total; done += BLOCK)
		if (write(fd, block, BLOCK) != BLOCK)
			stream_die(in);
	close(fd);
	for (int i = 0; i < READERS; i++)
		if (process_wait(&pids[i], 60, NULL) != 0)
			fputs("bench-each: a reader has failed\n", stderr);
	start = now() - start;
	close(ready[0]);
	close(ready[1]);
	remove_names();
	return (double)total / start / (1 << 20);
}

static void print(const char *what, const char *unit, double of[2][MAX_ROUNDS], int rounds, double goal, bool most)
{
	double ratios[MAX_ROUNDS], ratio;

	for (int k = 0; k < rounds; k++)
		ratios[k] = of[1][k] / of[0][k];
	for (int k = 0; k < 2; k++)
		qsort(of[k], (size_t)rounds, sizeof(double), ascending);
	qsort(ratios, (size_t)rounds, sizeof(*ratios), ascending);
	ratio = (ratios[(rounds - 1) / 2] + ratios[rounds / 2]) / 2;
	printf("%-14s  named taps: median %6.1f %s  broadcast name: median %6.1f %s  x median %.2f  goal %s%.2f %s\n",
	       what, of[0][rounds / 2], unit, of[1][rounds / 2], unit, ratio, most ? "<" : "", goal,
	       (most ? ratio <= goal : ratio >= goal) ? "ok" : "short");
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 0;
	uint64_t total = argc > 3 ? strtoull(argv[3], NULL, 0) << 20 : 0;
	static double rates[2][MAX_ROUNDS], opens[2][MAX_ROUNDS], rows[2][MAX_ROUNDS];

	if (argc != 4 || rounds < 1 || rounds > MAX_ROUNDS || !total) {
		fputs("usage: bench-each MOUNT ROUNDS MEBIBYTES\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	stream_fill(block, sizeof(block));
	for (int round = 0; round < rounds; round++)
		for (int k = 0; k < 2; k++) {
			int i = (k + round) % 2;

			rates[i][round] = run(argv[1], i, total, &opens[i][round], &rows[i][round]);
		}
	print("4 readers", "MiB/s", rates, rounds, 0.95, false);
	print("an open", "us", opens, rounds, 3, true);
	print("opens in a row", "us", rows, rounds, 3, true);
	return 0;
}
