/* bench-write: a plain write loop. Prints nothing. */
#include <fcntl.h>
#include <getopt.h>

#include "socket.h"

static void usage(void)
{
	fputs("usage: bench-write [--size BYTES] [--report FD] PATH|tcp:127.0.0.1:PORT|- BLOCK TOTAL\n"
	      "    --size    capacity to give the pipe\n"
	      "    --report  the driver's socket: say ready there, wait for the start\n",
	      stderr);
	exit(2);
}

static void wait_start(int report)
{
	char c = STREAM_READY;

	if (write(report, &c, 1) != 1 || read(report, &c, 1) != 1 || c != STREAM_GO)
		exit(1);
	close(report);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "report", required_argument, NULL, 'r' },
		{ 0 },
	};
	int report = -1, size = 0, fd = STDOUT_FILENO, c;
	uint64_t total, number = 0;
	unsigned char *buf;
	size_t block;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			size = atoi(optarg);
		else if (c == 'r')
			report = atoi(optarg);
		else
			usage();
	}
	if (argc - optind != 3)
		usage();
	block = strtoull(argv[optind + 1], NULL, 0);
	total = strtoull(argv[optind + 2], NULL, 0);
	if (!block)
		usage();
	buf = malloc(block);
	if (!buf)
		stream_die("malloc");
	stream_fill(buf, block);
	if (socket_named(argv[optind]))
		fd = socket_connect(argv[optind]);
	else if (strcmp(argv[optind], "-") != 0)
		fd = open(argv[optind], O_WRONLY);
	if (fd < 0)
		stream_die(argv[optind]);
	if (size && fcntl(fd, F_SETPIPE_SZ, size) < 0)
		stream_die("F_SETPIPE_SZ");
	if (report >= 0)
		wait_start(report);

	while (total) {
		size_t want = total < block ? (size_t)total : block, done = 0;

		stream_stamp(buf, block, number++);
		while (done < want) {
			ssize_t n = write(fd, buf + done, want - done);

			if (n < 0)
				stream_die("write");
			done += (size_t)n;
		}
		total -= want;
	}
	return 0;
}
