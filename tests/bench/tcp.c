/* The ends of every contender that goes by TCP, and those that are not spfs: our sendfile loop, socat, pv and nc. */
#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* The receiver binds it in a moment. */
static int free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, len) < 0 || getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		err = -errno;
	close(fd);
	return err < 0 ? err : ntohs(addr.sin_port);
}

int tcp_ends_make(struct run *run)
{
	int port = free_port();
	char *name = run->route == ROUTE_SEND ? run->out[0] : run->in;

	if (port < 0)
		return port;
	snprintf(name, PATH_LEN, "tcp:127.0.0.1:%d", port);
	for (int i = 0; i < run->readers && run->route == ROUTE_RECEIVE; i++)
		snprintf(run->out[i], sizeof(run->out[i]), "%s/out%d", run->received, i);
	return 0;
}

void tcp_ends_remove(struct run *run)
{
	for (int i = 0; i < run->readers && run->route == ROUTE_RECEIVE; i++)
		unlink(run->out[i]);
}

const char *tcp_port(const char *name)
{
	return strrchr(name, ':') + 1;
}

static int start(struct run *run, char **argv)
{
	run->copier = spawn(&(struct spawn){ 0 }, argv);
	return run->copier < 0 ? run->copier : 0;
}

static int start_shell(struct run *run, char *command)
{
	char *argv[] = { "sh", "-c", command, NULL };

	return start(run, argv);
}

static int sendfile_start(struct run *run)
{
	char program[PATH_LEN];
	char *argv[] = { program, run->in, run->out[0], NULL };

	snprintf(program, sizeof(program), "%s/bench-sendfile", run->programs);
	return start(run, argv);
}

/* Its own block is 8 KiB; contender.size is another. A tcp: name is an address of socat's as well. */
static int socat_start(struct run *run)
{
	char from[2 * PATH_LEN], to[2 * PATH_LEN], size[16];
	char *argv[] = { "socat", "-u", "-b", size, from, to, NULL };

	snprintf(size, sizeof(size), "%d", run->contender->size ? run->contender->size : 8192);
	if (run->route == ROUTE_SEND) {
		snprintf(from, sizeof(from), "FILE:%s", run->in);
		snprintf(to, sizeof(to), "%s", run->out[0]);
	} else {
		snprintf(from, sizeof(from), "TCP-LISTEN:%s,bind=127.0.0.1,reuseaddr", tcp_port(run->in));
		snprintf(to, sizeof(to), "CREATE:%s", run->out[0]);
	}
	return start(run, argv);
}

static int pv_nc_start(struct run *run)
{
	char command[2 * PATH_LEN];

	snprintf(command, sizeof(command), "pv -q '%s' | nc.openbsd -N 127.0.0.1 %s", run->in, tcp_port(run->out[0]));
	return start_shell(run, command);
}

/* As one would: the last copy is tee's standard output. */
static int socat_tee_start(struct run *run)
{
	char command[(MAX_READERS + 1) * PATH_LEN];
	int n = snprintf(command, sizeof(command), "socat -u TCP-LISTEN:%s,bind=127.0.0.1,reuseaddr - | tee",
			 tcp_port(run->in));

	for (int i = 0; i < run->readers - 1; i++)
		n += snprintf(command + n, sizeof(command) - (size_t)n, " '%s'", run->out[i]);
	snprintf(command + n, sizeof(command) - (size_t)n, " > '%s'", run->out[run->readers - 1]);
	return start_shell(run, command);
}

const struct contender_ops sendfile_ops = { .setup = tcp_ends_make,
					    .start = sendfile_start,
					    .finish = tcp_ends_remove };
const struct contender_ops socat_ops = { .setup = tcp_ends_make, .start = socat_start, .finish = tcp_ends_remove };
const struct contender_ops pv_nc_ops = { .setup = tcp_ends_make, .start = pv_nc_start, .finish = tcp_ends_remove };
const struct contender_ops socat_tee_ops = { .setup = tcp_ends_make,
					     .start = socat_tee_start,
					     .finish = tcp_ends_remove };
