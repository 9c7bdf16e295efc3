/* bench-read: reads until end of file, 64 KiB at a time by default. */
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "socket.h"

static void usage(void)
{
	fputs("usage: bench-read [--hash] [--report FD] [--await BYTES] PATH|tcp:127.0.0.1:PORT|- [BLOCK]\n"
	      "    --hash    also hash what comes\n"
	      "    --await   read nothing (but for a hash) before the file has so many bytes; 0: do not wait\n"
	      "    --report  the driver's socket; without it, bytes and hash are printed\n",
	      stderr);
	exit(2);
}

static int64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Looks every half millisecond: a watch would wake this process for each of the writes. */
static void await_size(const char *path, uint64_t size, struct report *report)
{
	struct stat st;

	while (stat(path, &st) < 0 || (uint64_t)st.st_size < size)
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	report->nsec = clock_now();
	report->bytes = (uint64_t)st.st_size;
}

static int open_input(const char *path)
{
	int fd = STDIN_FILENO;

	if (socket_named(path))
		fd = socket_listen(path);
	else if (strcmp(path, "-") != 0)
		fd = open(path, O_RDONLY);
	if (fd < 0)
		stream_die(path);
	return fd;
}

/*
 * A connection is read without ever sleeping. A receiver that sleeps is woken by the sender, packet by packet, which
 * costs that one more than sending; and one that is behind sends in its place, when it acknowledges. Which of the two
 * it is changes by chance. So whoever sends here does all of its own work, and nobody else's.
 */
static ssize_t read_some(int fd, unsigned char *buf, size_t block, bool is_socket)
{
	ssize_t n;

	do
		n = is_socket ? recv(fd, buf, block, MSG_DONTWAIT) : read(fd, buf, block);
	while (n < 0 && errno == EAGAIN);
	return n;
}

static void read_all(int fd, size_t block, bool hash, bool is_socket, struct report *report)
{
	unsigned char *buf = malloc(block);
	ssize_t n;

	if (!buf)
		stream_die("malloc");
	memset(buf, 1, block);
	report->bytes = 0;
	if (hash)
		report->hash = STREAM_HASH;
	while ((n = read_some(fd, buf, block, is_socket)) > 0) {
		if (!report->bytes)
			report->first = clock_now();
		report->bytes += (uint64_t)n;
		if (hash)
			report->hash = stream_hash(report->hash, buf, (size_t)n);
	}
	if (n < 0)
		stream_die("read");
	report->nsec = clock_now();
	free(buf);
}
int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "hash", no_argument, NULL, 'h' },
		{ "report", required_argument, NULL, 'r' },
		{ "await", required_argument, NULL, 'a' },
		{ 0 },
	};
	struct report report = { 0 };
	size_t block = STREAM_READ;
	int socket = -1, fd = -1, c;
	uint64_t await = 0;
	const char *path;
	bool hash = false;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			hash = true;
		else if (c == 'r')
			socket = atoi(optarg);
		else if (c == 'a')
			await = strtoull(optarg, NULL, 0);
		else
			usage();
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	path = argv[optind];
	if (argc - optind == 2)
		block = strtoull(argv[optind + 1], NULL, 0);
	if (!block)
		usage();
	if (!await)
		fd = open_input(path);
	if (socket >= 0 && write(socket, &(char){ STREAM_READY }, 1) != 1)
		return 1;

	if (await)
		await_size(path, await, &report);
	if (socket_named(path))
		fd = socket_accept(fd);
	if (await && hash)
		fd = open_input(path);
	if (fd >= 0)
		read_all(fd, block, hash, socket_named(path), &report);
	if (socket < 0)
		printf("%ju %016jx\n", (uintmax_t)report.bytes, (uintmax_t)report.hash);
	else if (write(socket, &report, sizeof(report)) != sizeof(report))
		return 1;
	return 0;
}
