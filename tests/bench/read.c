/* bench-read: reads until end of file, 64 KiB at a time by default. */
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <time.h>

#include "stream.h"

static void usage(void)
{
	fputs("usage: bench-read [--hash] [--report FD] PATH|- [BLOCK]\n"
	      "    --hash    also hash what comes\n"
	      "    --report  the driver's socket; without it, bytes and hash are printed\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "hash", no_argument, NULL, 'h' },
		{ "report", required_argument, NULL, 'r' },
		{ 0 },
	};
	int socket = -1, fd = STDIN_FILENO, c;
	struct report report = { 0 };
	size_t block = STREAM_READ;
	bool hash = false;
	unsigned char *buf;
	struct timespec ts;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			hash = true;
		else if (c == 'r')
			socket = atoi(optarg);
		else
			usage();
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	if (argc - optind == 2)
		block = strtoull(argv[optind + 1], NULL, 0);
	buf = block ? malloc(block) : NULL;
	if (!buf)
		usage();
	memset(buf, 1, block);
	if (strcmp(argv[optind], "-") != 0)
		fd = open(argv[optind], O_RDONLY);
	if (fd < 0)
		stream_die(argv[optind]);
	if (socket >= 0 && write(socket, &(char){ STREAM_READY }, 1) != 1)
		return 1;

	if (hash)
		report.hash = STREAM_HASH;
	for (;;) {
		ssize_t n = read(fd, buf, block);

		if (n < 0)
			stream_die("read");
		if (n == 0)
			break;
		report.bytes += (uint64_t)n;
		if (hash)
			report.hash = stream_hash(report.hash, buf, (size_t)n);
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	report.nsec = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (socket < 0)
		printf("%ju %016jx\n", (uintmax_t)report.bytes, (uintmax_t)report.hash);
	else if (write(socket, &report, sizeof(report)) != sizeof(report))
		return 1;
	return 0;
}
