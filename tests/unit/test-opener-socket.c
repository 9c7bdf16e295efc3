#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base.h"
#include "openings.h"

TestSuite(opener_socket, .init = openings_start, .fini = openings_stop, .timeout = 60);

/* ---- tcp ---- */

/* Bound to a free port of @family's loopback; its number in @port. -1 where there is no such family. */
static int bound(int family, int *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *addr = family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, addr, len) < 0) {
		fd_close(&fd);
		return -1;
	}
	cr_assert_eq(getsockname(fd, addr, &len), 0);
	*port = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
	return fd;
}

static void exchange(int fd, int peer)
{
	char c = 0;

	cr_assert_geq(peer, 0);
	cr_expect_eq(write(fd, "x", 1), 1);
	wait_for(peer, POLLIN);
	cr_expect_eq(read(peer, &c, 1), 1);
	cr_expect_eq(c, 'x');
}

static void connects(int family, const char *format)
{
	char uri[128];
	int port, fd, peer, listener = bound(family, &port);

	if (listener < 0)
		return; /* no IPv6 here */
	cr_assert_eq(listen(listener, 1), 0);
	snprintf(uri, sizeof(uri), format, port);
	fd = open_uri(PORT_SINK, uri);
	expect_flags(fd, O_RDWR, true);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	exchange(fd, peer);
	close(peer);
	close(fd);
	close(listener);
}

Test(opener_socket, tcp_connects)
{
	connects(AF_INET, "tcp:127.0.0.1:%d");
	connects(AF_INET6, "tcp:[::1]:%d");
	connects(AF_INET, "tcp:[::ffff:127.0.0.1]:%d");
}

Test(opener_socket, tcp_tries_every_address_of_a_name)
{
	struct addrinfo *found;

	if (getaddrinfo("localhost", NULL, NULL, &found) != 0) {
		openings_stop();
		cr_skip("there is no /etc/hosts");
	}
	freeaddrinfo(found);
	connects(AF_INET, "tcp:localhost:%d");
}

Test(opener_socket, tcp_says_why_not)
{
	char uri[128];
	int port, fd = bound(AF_INET, &port);

	snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%d?retry=1", port);
	cr_expect_eq(open_uri(PORT_SOURCE, uri), -ECONNREFUSED);
	snprintf(uri, sizeof(uri), "connect to 127.0.0.1:%d: Connection refused", port);
	expect_why(uri);
	close(fd);
	cr_expect_eq(open_uri(PORT_SOURCE, "tcp:127.0.0.1:no-such-service"), -EINVAL);
	expect_why("resolve 127.0.0.1:no-such-service: ");
}

/* Its queue is full, so the kernel lets the request go unanswered. */
Test(opener_socket, a_tcp_connect_that_hangs_is_cancelled)
{
	struct call c;
	char uri[128];
	int port, first, listener = bound(AF_INET, &port);

	cr_assert_eq(listen(listener, 0), 0);
	snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%d", port);
	first = open_uri(PORT_SOURCE, uri);
	cr_assert_geq(first, 0);
	prepare(&c, PORT_SOURCE, uri);
	begin(&c);
	wait_asleep();
	cr_expect_eq(cancelled(&c), -EINTR);
	wait_threads();
	close(first);
	close(listener);
}

static void listens(const char *uri, int family)
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);
	int fd = open_uri(PORT_SINK, uri), peer, client;
	char client_uri[64];

	expect_flags(fd, O_RDWR, true);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(client_uri, sizeof(client_uri), "tcp:%s:%d", family == AF_INET ? "127.0.0.1" : "[::1]",
		 ntohs(addr.sin6_port)); /* where sin_port is */
	cr_expect_lt(accept4(fd, NULL, NULL, SOCK_CLOEXEC), 0);
	client = open_uri(PORT_SOURCE, client_uri);
	cr_assert_geq(client, 0, "%s", last.o.why);
	wait_for(fd, POLLIN);
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	exchange(peer, client);
	close(peer);
	close(client);
	close(fd);
}

Test(opener_socket, tcp_listens)
{
	int port, six = bound(AF_INET6, &port);

	listens("tcp-listen:127.0.0.1:0", AF_INET);
	listens("tcp-listen::0?slow=drop", AF_INET);
	if (six >= 0) {
		listens("tcp-listen:[::1]:0", AF_INET6);
		listens("tcp-listen::0", AF_INET6);
	}
	fd_close(&six);
}

Test(opener_socket, tcp_listen_says_why_not)
{
	char uri[128];
	int port, fd = bound(AF_INET, &port);

	cr_assert_eq(listen(fd, 1), 0);
	snprintf(uri, sizeof(uri), "tcp-listen:127.0.0.1:%d", port);
	cr_expect_eq(open_uri(PORT_SOURCE, uri), -EADDRINUSE);
	expect_why(": Address already in use");
	close(fd);
	if (geteuid() == 0 && first_unprivileged_port() > 80) {
		prepare(&last, PORT_SOURCE, "tcp-listen:127.0.0.1:80");
		last.rights.uid = last.rights.gid = NOBODY;
		begin(&last);
		cr_expect_eq(wait_done(&last), -EACCES);
		expect_why("listen on 127.0.0.1:80: Permission denied");
	}
}

/* ---- unix ---- */

static int unix_socket(const char *name, int backlog)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path_of(name));
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (backlog >= 0)
		cr_assert_eq(listen(fd, backlog), 0);
	return fd;
}

Test(opener_socket, unix_connects)
{
	int listener = unix_socket("x", 1), fd = open_here(PORT_SINK, "unix", "x"), peer;

	expect_flags(fd, O_RDWR, true);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	exchange(fd, peer);
	close(peer);
	close(fd);
	close(listener);
	cr_expect_eq(open_here(PORT_SINK, "unix", "x"), -ECONNREFUSED);
	expect_why("/x: Connection refused");
	cr_expect_eq(open_here(PORT_SINK, "unix", "y"), -ENOENT);
}

Test(opener_socket, the_callers_rights_to_sockets)
{
	int listener;

	need_root();
	cr_assert_eq(mkdir(path_of("closed"), 0700), 0);
	listener = unix_socket("closed/x", 1);
	cr_assert_eq(chmod(path_of("closed/x"), 0777), 0);
	cr_expect_eq(open_as(NOBODY, PORT_SOURCE, "unix", "closed/x"), -EACCES);
	cr_expect_eq(open_as(NOBODY, PORT_SOURCE, "unix-listen", "closed/y"), -EACCES);
	cr_expect_eq(open_as(NOBODY, PORT_SOURCE, "unix-listen", "y"), -EACCES);
	close(listener);
	/* What is dead can be replaced only by who may remove it. */
	cr_assert_eq(chmod(path_of("closed"), 0755), 0);
	cr_expect_eq(open_as(NOBODY, PORT_SOURCE, "unix-listen", "closed/x"), -EACCES);
	cr_expect_eq(size_of("closed/x"), 0);
}

Test(opener_socket, a_unix_connect_that_hangs_is_cancelled)
{
	int listener = unix_socket("x", 0), first = open_here(PORT_SOURCE, "unix", "x");
	struct call c;

	cr_assert_geq(first, 0);
	prepare_here(&c, PORT_SOURCE, "unix", "x");
	begin(&c);
	wait_asleep();
	cr_expect_eq(cancelled(&c), -EINTR);
	wait_threads();
	close(first);
	close(listener);
}

static void accepts(const char *name)
{
	int fd = open_here(PORT_SINK, "unix-listen", name), client, peer;

	expect_flags(fd, O_RDWR, true);
	client = open_here(PORT_SOURCE, "unix", name);
	cr_assert_geq(client, 0, "%s", last.o.why);
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	exchange(peer, client);
	close(peer);
	close(client);
	close(fd);
}

Test(opener_socket, unix_listens)
{
	struct stat st;

	accepts("x");
	cr_assert_eq(stat(path_of("x"), &st), 0);
	cr_expect_eq(st.st_mode, S_IFSOCK | 0755);
}

Test(opener_socket, a_dead_socket_is_replaced_and_nothing_else)
{
	int live, datagrams;

	close(unix_socket("dead", 1));
	accepts("dead");
	live = unix_socket("live", 0);
	cr_expect_eq(open_here(PORT_SINK, "unix-listen", "live"), -EADDRINUSE);
	expect_why("/live: Address already in use");
	cr_expect_eq(open_here(PORT_SINK, "unix-listen", "live"), -EADDRINUSE); /* its queue is full now */
	close(live);
	datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	{
		struct sockaddr_un addr = { .sun_family = AF_UNIX };

		snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path_of("dgram"));
		cr_assert_eq(bind(datagrams, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	cr_expect_eq(open_here(PORT_SINK, "unix-listen", "dgram"), -EADDRINUSE);
	close(datagrams);
	make("file", 0600);
	cr_expect_eq(open_here(PORT_SINK, "unix-listen", "file"), -EADDRINUSE);
	cr_expect_eq(size_of("file"), 10);
	cr_assert_eq(symlink("dead", path_of("link")), 0);
	cr_expect_eq(open_here(PORT_SINK, "unix-listen", "link"), -EADDRINUSE);
}
