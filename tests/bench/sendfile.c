/* bench-sendfile: a file to a socket by sendfile(2), as much of it with each call as the kernel takes. */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/sendfile.h>

#include "socket.h"

int main(int argc, char **argv)
{
	ssize_t n;
	int in, out;

	if (argc != 3 || !socket_named(argv[2])) {
		fputs("usage: bench-sendfile FILE tcp:127.0.0.1:PORT\n", stderr);
		return 2;
	}
	in = open(argv[1], O_RDONLY);
	if (in < 0)
		stream_die(argv[1]);
	out = socket_connect(argv[2]);
	while ((n = sendfile(out, in, NULL, 1 << 30)) > 0)
		;
	if (n < 0)
		stream_die("sendfile");
	return 0;
}
