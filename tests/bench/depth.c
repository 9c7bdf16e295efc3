/*
 * bench-depth: what stands between a writer and a reader that is slow.
 *
 * late:    the reader begins a moment after the writer: a tap of depth 256M, mbuffer -m 256M, a FIFO. The writer's rate
 *          says how soon it was let go.
 * stalled: a tap that nobody reads any more, with drop-old, beside one that is read; against mbuffer and a FIFO whose
 *          reader reads, for those cannot drop.
 *
 * In turns within each round. The process in the middle is the daemon or mbuffer.
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "bench.h"
#include "stream.h"

#define BLOCK (64 << 10)
#define DEPTH "256M"
#define LATE_NSEC 200000000

enum middle { NOTHING, MBUFFER, CHANNEL };
enum { WRITER, WHOLE, CPU, VALUES };

struct way {
	const char *name;
	enum middle middle;
	bool late;             /* its reader begins late */
	bool stalled;          /* beside a tap that stalls */
	double *value[VALUES]; /* of each round: MiB/s until all is written, until all is read; seconds per GiB */
};

struct bench {
	const char *mount;
	pid_t daemon;
	char dir[PATH_LEN / 2];
	uint64_t bytes;
	int rounds;
};

static unsigned char block[BLOCK];

static void reader(const char *name, bool late, uint64_t expect, int report)
{
	int fd = open(name, O_RDONLY);
	uint64_t bytes = 0;
	ssize_t n;
	double end;

	if (fd < 0 || write(report, "r", 1) != 1)
		stream_die(name);
	if (late)
		nanosleep(&(struct timespec){ .tv_nsec = LATE_NSEC }, NULL);
	while ((n = read(fd, block, sizeof(block))) > 0)
		bytes += (uint64_t)n;
	end = now();
	_exit(bytes == expect && write(report, &end, sizeof(end)) == sizeof(end) ? 0 : 1);
}

static void set(const char *tap, const char *name, const char *value)
{
	if (setxattr(tap, name, value, strlen(value), 0) < 0)
		stream_die(name);
}

/* Makes the names; returns the descriptor that holds a stalled tap open, or -1. */
static int make_names(const struct bench *b, const struct way *w, char names[3][PATH_LEN])
{
	const char *dir = w->middle == CHANNEL ? b->mount : b->dir;

	for (int i = 0; i < 3; i++)
		snprintf(names[i], PATH_LEN, "%s/depth.%d.%d", dir, (int)getpid(), i);
	if (w->middle == NOTHING)
		memcpy(names[1], names[0], PATH_LEN);
	if (mkfifo(names[0], 0600) < 0)
		stream_die(names[0]);
	if (w->middle == MBUFFER && mkfifo(names[1], 0600) < 0)
		stream_die(names[1]);
	if (w->middle != CHANNEL)
		return -1;
	if (link(names[0], names[1]) < 0 || (w->stalled && link(names[0], names[2]) < 0))
		stream_die(names[1]);
	if (w->late)
		set(names[1], "spfs.depth", DEPTH);
	if (!w->stalled)
		return -1;
	set(names[2], "spfs.policy", "drop-old");
	return open(names[2], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static void write_all(int fd, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, block, bytes < BLOCK ? (size_t)bytes : BLOCK);

		if (n < 0)
			stream_die("write");
		bytes -= (uint64_t)n;
	}
	close(fd);
}

static pid_t start_mbuffer(char names[3][PATH_LEN])
{
	char *argv[] = { "mbuffer", "-v1", "-q", "-Q", "-s", "64k", "-m", DEPTH, "-f", "-o", names[1], NULL };

	return spawn(&(struct spawn){ .in = names[0] }, argv);
}

static void run(const struct bench *b, struct way *w, int round)
{
	struct usage before = { 0 }, used = { .cpu = NAN };
	const double gib = (double)b->bytes / (1 << 30);
	char names[3][PATH_LEN], c;
	int stalled = make_names(b, w, names), report[2], fd;
	pid_t pid, copier = 0;
	double start, written, end;

	if (pipe2(report, O_CLOEXEC) < 0)
		stream_die("pipe");
	pid = fork();
	if (pid == 0)
		reader(names[1], w->late, b->bytes, report[1]);
	close(report[1]);
	if (w->middle == MBUFFER)
		copier = start_mbuffer(names);
	fd = open(names[0], O_WRONLY | O_CLOEXEC);
	if (fd < 0 || read(report[0], &c, 1) != 1)
		stream_die("the reader");
	if (w->middle == CHANNEL)
		process_usage(b->daemon, &before);
	start = now();
	write_all(fd, b->bytes);
	written = now();
	if (read(report[0], &end, sizeof(end)) != sizeof(end))
		stream_die("the reader has not got everything");
	if (w->middle == CHANNEL)
		process_usage(b->daemon, &used);
	process_wait(&copier, 5, w->middle == MBUFFER ? &used : NULL);
	process_kill(&copier);
	process_wait(&pid, 5, NULL);
	process_kill(&pid);
	close(report[0]);
	if (stalled >= 0)
		close(stalled);
	for (int i = 2; i >= 0; i--)
		unlink(names[i]);
	w->value[WRITER][round] = gib * 1024 / (written - start);
	w->value[WHOLE][round] = gib * 1024 / (end - start);
	w->value[CPU][round] = (used.cpu - before.cpu) / gib;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(const double *values, int count)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, values, (size_t)count * sizeof(*values));
	qsort(sorted, (size_t)count, sizeof(*values), ascending);
	return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

/* The first of @ways is ours. */
static void print(const struct bench *b, const struct way *ways, int count)
{
	double ratios[VALUES][MAX_ROUNDS];

	for (int i = 0; i < count; i++) {
		for (int v = 0; v < VALUES; v++)
			for (int k = 0; k < b->rounds; k++)
				ratios[v][k] = ways[0].value[v][k] / ways[i].value[v][k];
		printf("%-22s  writer %6.0f MiB/s (x %5.2f)  whole %6.0f MiB/s (x %5.2f)", ways[i].name,
		       middle(ways[i].value[WRITER], b->rounds), middle(ratios[WRITER], b->rounds),
		       middle(ways[i].value[WHOLE], b->rounds), middle(ratios[WHOLE], b->rounds));
		if (ways[i].middle != NOTHING)
			printf("  cpu %.2f s/GiB (x %.2f)", middle(ways[i].value[CPU], b->rounds),
			       middle(ratios[CPU], b->rounds));
		putchar('\n');
	}
}

static void measure(const struct bench *b, struct way *ways, int count)
{
	for (int i = 0; i < count * VALUES; i++)
		ways[i / VALUES].value[i % VALUES] = calloc((size_t)b->rounds, sizeof(double));
	for (int round = 0; round < b->rounds; round++)
		for (int k = 0; k < count; k++)
			run(b, &ways[(k + round) % count], round);
	print(b, ways, count);
	for (int i = 0; i < count * VALUES; i++)
		free(ways[i / VALUES].value[i % VALUES]);
}

/* Whether a tap of this daemon has the setting. */
static bool has(const struct bench *b, const char *name, const char *value)
{
	char in[PATH_LEN], tap[PATH_LEN];
	bool there;

	snprintf(in, sizeof(in), "%s/has.%d", b->mount, (int)getpid());
	snprintf(tap, sizeof(tap), "%s/has.%d.tap", b->mount, (int)getpid());
	if (mkfifo(in, 0600) < 0 || link(in, tap) < 0)
		stream_die(in);
	there = setxattr(tap, name, value, strlen(value), 0) == 0;
	if (!there)
		printf("%s=%s: skipped, this daemon or user cannot: %s\n", name, value, strerror(errno));
	unlink(tap);
	unlink(in);
	return there;
}

int main(int argc, char **argv)
{
	struct way late[] = {
		{ "late: tap, depth " DEPTH, CHANNEL, .late = true },
		{ "late: mbuffer " DEPTH, MBUFFER, .late = true },
		{ "late: FIFO", NOTHING, .late = true },
	};
	struct way stalled[] = {
		{ "stalled: drop-old tap", CHANNEL, .stalled = true },
		{ "stalled: mbuffer " DEPTH, MBUFFER },
		{ "stalled: FIFO", NOTHING },
	};
	struct bench b = { .dir = "/tmp/spfs-bench.XXXXXX", .rounds = argc > 3 ? atoi(argv[3]) : 0 };

	b.bytes = argc > 4 ? strtoull(argv[4], NULL, 0) << 20 : 0;
	if (argc != 5 || b.rounds < 1 || b.rounds > MAX_ROUNDS || !b.bytes) {
		fputs("usage: bench-depth MOUNT DAEMON ROUNDS MEBIBYTES\n", stderr);
		return 2;
	}
	b.mount = argv[1];
	b.daemon = atoi(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	stream_fill(block, sizeof(block));
	if (!mkdtemp(b.dir))
		stream_die(b.dir);
	if (has(&b, "spfs.depth", DEPTH))
		measure(&b, late, sizeof(late) / sizeof(late[0]));
	if (has(&b, "spfs.policy", "drop-old"))
		measure(&b, stalled, sizeof(stalled) / sizeof(stalled[0]));
	puts("x: spfs divided by that one, the median of the ratios of each round.");
	rmdir(b.dir);
	return 0;
}
