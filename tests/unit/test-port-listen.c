#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "attached.h"

#define LEN 200000

static struct fixture f;
static struct channel *ch;
static char *data;
static int port;

static void start(void)
{
	faults_install();
	data = pattern(LEN);
	fixture_start(&f);
	ch = fixture_channel(&f, 1);
}

static void stop(void)
{
	if (ch)
		fixture_destroy(&f, ch);
	fixture_stop(&f);
	free(data);
}

TestSuite(port_listen, .init = start, .fini = stop, .timeout = 60);

static void write_origin(size_t len)
{
	struct writer w = { .f = &f, .id = 1, .data = data, .len = len };

	write_begin(&w);
	write_end(&w);
}

/* ---- sources ---- */

static void call_streams(void *arg)
{
	*(uint64_t *)arg = ch->streams;
}

Test(port_listen, a_source_takes_connections_in_turn_and_each_is_a_stream)
{
	int id = attach_listener(&f, ch, PORT_SOURCE, 1, "", &port), a = tcp_connect(port), b = tcp_connect(port);
	uint64_t streams;

	cr_assert_eq(send(b, "second", 6, 0), 6);
	close(b);
	cr_assert_eq(send(a, "first,", 6, 0), 6);
	close(a);
	WAIT_UNTIL(look_at(&f, ch, id).clients == 2 && look_at(&f, ch, id).state == PORT_LISTENING);
	/* Who comes only now cannot tell them apart. */
	expect_node(&f, 2, "first,second", 12);
	on_worker(&f, call_streams, &streams);
	cr_assert_eq(streams, 2);
}

Test(port_listen, a_source_can_be_detached_with_a_peer_and_without)
{
	int id = attach_listener(&f, ch, PORT_SOURCE, 1, "", &port), a;

	cr_assert_eq(detach(&f, ch, id), 0);
	id = attach_listener(&f, ch, PORT_SOURCE, 1, "", &port);
	a = tcp_connect(port);
	cr_assert_eq(send(a, "first", 5, 0), 5);
	WAIT_UNTIL(look_at(&f, ch, id).bytes == 5);
	cr_assert_eq(detach(&f, ch, id), 0);
	expect_node(&f, 2, "first", 5);
	cr_expect_leq(recv(a, &(char){ 0 }, 1, 0), 0);
	close(a);
}

static void call_lost(void *arg)
{
	*(uint64_t *)arg = ch->lost;
}

/* One that listens in the file system, as somebody has passed it. */
static int unix_listen(struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(a->sun_path, sizeof(a->sun_path), "%s/listening", f.path);
	unlink(a->sun_path);
	cr_assert_eq(bind(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

/* What it had taken from its client it had not handed on yet: the channel was full. */
Test(port_listen, a_source_that_is_detached_hands_on_what_it_has_taken)
{
	const size_t len = 8 << 20;
	struct sockaddr_un address;
	int fd = unix_listen(&address), id = attach(&f, ch, PORT_SOURCE, 1, fd, NULL), reader;
	char *all = pattern(len), *buf = malloc(len);
	uint64_t moved, lost;
	size_t got = 0;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	for (size_t sent = 0; sent < len;) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t n = poll(&p, 1, 1000) > 0 ? send(fd, all + sent, len - sent, MSG_DONTWAIT) : 0;

		if (n <= 0) /* nothing more is taken */
			break;
		sent += (size_t)n;
	}
	moved = look_at(&f, ch, id).bytes;
	cr_assert_gt(moved, 0);
	cr_assert_eq(detach(&f, ch, id), 0);
	wait_for(fd, POLLHUP);
	on_worker(&f, call_lost, &lost);
	cr_expect_eq(lost, 0, "%ju bytes are lost", (uintmax_t)lost);
	reader = fixture_open(&f, 2, O_RDONLY);
	got = read_all(reader, buf, len);
	cr_expect_gt(got, moved);
	cr_expect_eq(memcmp(buf, all, got), 0);
	on_worker(&f, call_lost, &lost);
	cr_expect_eq(lost, 0, "%ju bytes are lost", (uintmax_t)lost);
	close(reader);
	close(fd);
	free(all);
	free(buf);
}

/* ---- sinks ---- */

static void serve_some(uint64_t node)
{
	int id = attach_listener(&f, ch, PORT_SINK, node, "", &port), fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = tcp_connect(port);
	wait_clients(&f, ch, id, 3);
	write_origin(LEN);
	for (int i = 0; i < 3; i++) {
		expect_peer(fds[i], data, LEN);
		close(fds[i]);
	}
	if (node == 1)
		expect_node(&f, 2, data, LEN);
	wait_clients(&f, ch, id, 0);
	cr_assert_eq(look_at(&f, ch, id).state, PORT_LISTENING);
	cr_assert_eq(detach(&f, ch, id), 0);
}

Test(port_listen, each_client_of_a_channel_gets_everything)
{
	serve_some(1);
	serve_some(1);
}

Test(port_listen, each_client_of_a_tap_gets_everything)
{
	serve_some(2);
	serve_some(2);
}

Test(port_listen, a_client_that_leaves_while_nothing_is_sent_is_let_go)
{
	int id = attach_listener(&f, ch, PORT_SINK, 1, "", &port), fd = tcp_connect(port);

	wait_clients(&f, ch, id, 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(fd);
	wait_clients(&f, ch, id, 0);
	cr_assert_eq(look_at(&f, ch, id).disconnected, 1);
}

/* ---- ends ---- */

static void call_gone(void *arg)
{
	channel_origin_gone(arg);
}

Test(port_listen, a_sink_ends_with_its_taps_name)
{
	int id = attach_listener(&f, ch, PORT_SINK, 2, "", &port), fd = tcp_connect(port);

	wait_clients(&f, ch, id, 1);
	fixture_remove_tap(&f, ch, 2);
	wait_state(&f, ch, id, PORT_DONE);
	cr_expect_leq(recv(fd, &(char){ 0 }, 1, 0), 0);
	close(fd);
}

Test(port_listen, ends_with_the_origin_once_its_clients_have_everything)
{
	int ids[3] = { attach_listener(&f, ch, PORT_SOURCE, 1, "", &port) }, fds[2];

	ids[1] = attach_listener(&f, ch, PORT_SINK, 1, "", &port);
	fds[0] = tcp_connect(port);
	ids[2] = attach_listener(&f, ch, PORT_SINK, 2, "", &port);
	fds[1] = tcp_connect(port);
	wait_clients(&f, ch, ids[1], 1);
	wait_clients(&f, ch, ids[2], 1);
	write_origin(LEN);
	on_worker(&f, call_gone, ch);
	for (int i = 0; i < 2; i++) {
		expect_peer(fds[i], data, LEN);
		close(fds[i]);
	}
	for (int i = 0; i < 3; i++)
		wait_state(&f, ch, ids[i], PORT_DONE);
}

/* By who has passed it and has a copy. */
Test(port_listen, ends_once_its_socket_is_shut_down_and_its_clients_have_everything)
{
	for (int i = 0; i < 3; i++) {
		int fd = tcp_listen(&port), shared = dup(fd), client = -1, id;

		id = attach(&f, ch, i ? PORT_SINK : PORT_SOURCE, 1, fd, NULL);
		if (i == 2) {
			client = tcp_connect(port);
			wait_clients(&f, ch, id, 1);
		}
		cr_assert_eq(shutdown(shared, SHUT_RDWR), 0);
		if (i == 2) {
			write_origin(LEN);
			expect_peer(client, data, LEN);
			close(client);
		}
		cr_expect_eq(wait_state(&f, ch, id, PORT_FAILED).err, -EINVAL);
		cr_assert_eq(detach(&f, ch, id), 0);
		close(shared);
	}
}

Test(port_listen, goes_with_its_clients)
{
	int id = attach_listener(&f, ch, PORT_SINK, 2, "", &port), fds[4];

	for (int i = 0; i < 2; i++)
		fds[i] = tcp_connect(port);
	wait_clients(&f, ch, id, 2);
	id = attach_listener(&f, ch, PORT_SINK, 1, "", &port);
	fds[2] = tcp_connect(port);
	wait_clients(&f, ch, id, 1);
	id = attach_listener(&f, ch, PORT_SOURCE, 1, "", &port);
	fds[3] = tcp_connect(port);
	wait_clients(&f, ch, id, 1);
	cr_assert_eq(send(fds[3], data, LEN, 0), LEN);
	fixture_destroy(&f, ch);
	ch = NULL;
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

Test(port_listen, serves_again_after_pipes_ran_out)
{
	int id = attach_listener(&f, ch, PORT_SINK, 1, "", &port), fd;

	fault_pipe = (struct fault){ .nth = 1, .count = 1, .err = -EMFILE };
	fd = tcp_connect(port);
	cr_expect_leq(recv(fd, &(char){ 0 }, 1, 0), 0);
	close(fd);
	fd = tcp_connect(port);
	wait_clients(&f, ch, id, 1);
	write_origin(5);
	expect_peer(fd, data, 5);
	close(fd);
}
