/*
 * lock-holder read|write|ring PAGE TARGET [COMMAND...]: holds the lock of a pipe or socket, from inside the kernel, for as
 * long as PAGE (of hanging-file) does not come: it moves a byte of the target into or out of that page; with "ring" a thread of
 * the kernel reads it. It says "now" before.
 *
 * TARGET is a FIFO; or what is made here, "pipe", "tcp" or "unix", of which COMMAND gets an end as descriptor 3: the other
 * end of a pipe, before that is held; the same socket, while it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void holder_die(const char *what)
{
	perror(what);
	exit(1);
}

static void holder_tcp(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (void *)&address, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (void *)&address, &len) < 0)
		holder_die("listen");
	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(ends[1], (void *)&address, len) < 0)
		holder_die("connect");
	ends[0] = accept(listener, NULL, NULL);
	close(listener);
}

static void holder_run(char **command, int fd)
{
	dup2(fd, 3);
	execvp(command[0], command);
	holder_die(command[0]);
}

static bool holder_is_stuck(pid_t pid)
{
	char name[32], line[256] = "";
	const char *state;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	file = fopen(name, "r");
	state = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	if (file)
		fclose(file);
	return state && state[2] == 'D';
}

/* Returns the end that is to be held; of a socket in a child, while the command runs. */
static int holder_make(const char *target, bool reads, char **command)
{
	int ends[2];
	pid_t child;

	if (!strcmp(target, "pipe")) {
		if (pipe(ends) < 0)
			holder_die(target);
		if (fork() == 0)
			holder_run(command, ends[reads]);
		wait(NULL);
		return ends[!reads];
	}
	if (!strcmp(target, "tcp"))
		holder_tcp(ends);
	else if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || write(ends[0], "x", 1) != 1)
		holder_die(target);
	child = fork();
	if (child == 0)
		return ends[1];
	while (!holder_is_stuck(child))
		usleep(10000);
	if (fork() == 0)
		holder_run(command, ends[1]);
	while (wait(NULL) >= 0)
		;
	exit(0);
}

/* Returns as read(2). */
static int holder_read_by_ring(int fd, char *map)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;

	errno = -io_uring_queue_init(1, &ring, 0);
	if (errno)
		return -1;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, fd, map, 1, 0);
	sqe->flags |= IOSQE_ASYNC;
	io_uring_submit(&ring);
	errno = -io_uring_wait_cqe(&ring, &cqe);
	if (errno || cqe->res >= 0)
		return errno ? -1 : cqe->res;
	errno = -cqe->res;
	return -1;
}

int main(int argc, char **argv)
{
	bool rings = argc > 3 && !strcmp(argv[1], "ring"), reads = rings || (argc > 3 && !strcmp(argv[1], "read"));
	int page = argc > 3 ? open(argv[2], O_RDWR) : -1;
	char *map = page < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, page, 0);
	int fd;

	if (map == MAP_FAILED)
		holder_die("the page");
	fd = argc > 4 ? holder_make(argv[3], reads, argv + 4) : open(argv[3], reads ? O_RDONLY : O_WRONLY);
	if (fd < 0)
		holder_die(argv[3]);
	puts("now");
	fflush(stdout);
	if ((rings ? holder_read_by_ring(fd, map) : reads ? read(fd, map, 1) : write(fd, map, 1)) < 0)
		holder_die(argv[1]);
	return 0;
}
