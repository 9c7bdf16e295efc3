#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attached.h"

#define LEN 3000017

static struct fixture f;
static struct channel *ch;
static char *data;

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

TestSuite(port_stream, .init = start, .fini = stop, .timeout = 60);

static void unix_pair(int sv[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
}

static void source_of(size_t len)
{
	cr_assert_gt(attach(&f, ch, PORT_SOURCE, 1, file_of(&f, "in", data, len), NULL), 0);
}

Test(port_stream, a_sink_passes_everything_and_the_end_on)
{
	for (uint64_t node = 1; node <= 2; node++) {
		int sv[2], id;

		tcp_pair(sv);
		id = attach(&f, ch, PORT_SINK, node, sv[0], NULL);
		/* A request that nobody reads must not cost the peer what is on its way. */
		cr_assert_eq(send(sv[1], "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
		source_of(node == 1 ? 700000 : LEN);
		expect_peer(sv[1], data, node == 1 ? 700000 : LEN);
		cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, node == 1 ? 700000 : LEN);
		if (node == 1)
			expect_node(&f, 2, data, 700000);
		close(sv[1]);
	}
}

Test(port_stream, a_sink_goes_on_whichever_splice_comes_short_or_is_told_to_try_again)
{
	const int errs[] = { FAULT_SHORT, -EAGAIN };

	fixture_remove_tap(&f, ch, 2);
	for (unsigned i = 0; i < 16; i++) {
		int sv[2], id;

		unix_pair(sv);
		id = attach(&f, ch, PORT_SINK, 1, sv[0], NULL);
		fault_splice = (struct fault){ .nth = 1 + i / 2, .count = 2, .err = errs[i % 2] };
		source_of(LEN);
		expect_peer(sv[1], data, LEN);
		wait_state(&f, ch, id, PORT_DONE);
		close(sv[1]);
	}
}

Test(port_stream, a_source_ends_with_its_peer)
{
	int sv[2], id;

	tcp_pair(sv);
	id = attach(&f, ch, PORT_SOURCE, 1, sv[0], NULL);
	cr_assert_eq(send(sv[1], data, 5000, 0), 5000);
	close(sv[1]);
	expect_node(&f, 2, data, 5000);
	cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, 5000);
}

Test(port_stream, a_sink_takes_two_streams_as_one_while_it_is_busy_with_the_first)
{
	int sv[2], id, writer;
	char *all = malloc(LEN * 2);

	unix_pair(sv);
	id = attach(&f, ch, PORT_SINK, 1, sv[0], NULL);
	fixture_remove_tap(&f, ch, 2);
	source_of(1000000);
	/* The stream is over, and its bytes are in the sink's tap: the peer has taken none. */
	WAIT_UNTIL(look_at(&f, ch, 2).state == PORT_DONE);
	writer = fixture_open(&f, 1, O_WRONLY);
	source_of(500000);
	close(writer);
	memcpy(all, data, 1000000);
	memcpy(all + 1000000, data, 500000);
	expect_peer(sv[1], all, 1500000);
	wait_state(&f, ch, id, PORT_DONE);
	close(sv[1]);
	free(all);
}

Test(port_stream, a_sink_that_fails_and_is_to_hold_leaves_the_rest_to_the_next)
{
	int sv[2], id, next;
	struct look l;

	fixture_remove_tap(&f, ch, 2);
	unix_pair(sv);
	id = attach(&f, ch, PORT_SINK, 1, sv[0], "unix:/peer?on-error=hold");
	source_of(LEN);
	wait_for(sv[1], POLLIN);
	close(sv[1]);
	l = wait_state(&f, ch, id, PORT_FAILED);
	unix_pair(sv);
	next = attach(&f, ch, PORT_SINK, 1, sv[0], NULL);
	expect_peer(sv[1], data + l.bytes, LEN - l.bytes);
	wait_state(&f, ch, next, PORT_DONE);
	close(sv[1]);
}

/* Of a socket that was passed a lane sends, and is just doing so as the peer goes; it may even wait in there, for its flags are ours. */
Test(port_stream, a_sink_on_a_passed_socket_leaves_all_that_its_peer_has_not_taken)
{
	for (int i = 0; i < 8; i++) {
		int sv[2], id, shared;
		struct look l, before;

		i % 2 ? tcp_pair(sv) : unix_pair(sv);
		setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &(int){ 65536 }, sizeof(int));
		setsockopt(sv[1], SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int));
		shared = dup(sv[0]);
		id = attach(&f, ch, PORT_SINK, 2, sv[0], NULL);
		wait_state(&f, ch, id, PORT_RUNNING);
		if (i / 4)
			fcntl(shared, F_SETFL, 0);
		close(shared);
		source_of(LEN);
		wait_for(sv[1], POLLIN);
		do { /* until it takes no more */
			before = look_at(&f, ch, id);
			poll(NULL, 0, 50);
			l = look_at(&f, ch, id);
		} while (l.bytes != before.bytes);
		close(sv[1]);
		l = wait_state(&f, ch, id, PORT_FAILED);
		cr_expect_eq(l.err, -EPIPE);
		cr_expect_eq(l.lost, 0, "%d: lost %ju", i, (uintmax_t)l.lost);
		cr_expect_gt(l.bytes, 0);
		expect_node(&f, 2, data + l.bytes, LEN - l.bytes);
		detach(&f, ch, id);
	}
}

static void reset(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(fd);
}

/* What is missing in the end is what the kernel had taken for the connection that was reset, and nothing else. */
Test(port_stream, a_sink_that_connects_again_loses_only_what_the_kernel_had_taken)
{
	char uri[64], *buf = malloc(LEN + 1);
	int port, listening = tcp_listen(&port), fd, peer, id;
	size_t n;

	/* The kernel takes much less than there is. */
	setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int));
	fd = tcp_connect(port);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 65536 }, sizeof(int));
	peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%d?retry=1", port);
	id = attach(&f, ch, PORT_SINK, 2, fd, uri);
	source_of(LEN);
	wait_for(peer, POLLIN);
	reset(peer);
	wait_state(&f, ch, id, PORT_RETRYING);
	wait_for(listening, POLLIN);
	peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	n = read_all(peer, buf, LEN + 1);
	cr_assert_eq(wait_state(&f, ch, id, PORT_DONE).bytes, LEN);
	cr_assert_gt(n, 0);
	cr_assert_eq(memcmp(buf, data + LEN - n, n), 0);
	close(peer);
	close(listening);
	free(buf);
}

Test(port_stream, goes_while_it_waits_to_connect_again)
{
	for (int detached = 1; detached >= 0; detached--) {
		char uri[64];
		int port, listening = tcp_listen(&port), fd = tcp_connect(port), id;

		reset(accept(listening, NULL, NULL));
		close(listening);
		snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%d?retry=1", port);
		id = attach(&f, ch, PORT_SINK, 1, fd, uri);
		wait_state(&f, ch, id, PORT_RETRYING);
		if (detached)
			cr_assert_eq(detach(&f, ch, id), 0);
	}
	fixture_destroy(&f, ch);
	ch = NULL;
}

/* A shell that reads from the same socket makes it block again. */
Test(port_stream, never_blocks_the_worker_whoever_makes_its_socket_block)
{
	int sv[2][2], id[2];

	for (int i = 0; i < 2; i++) {
		tcp_pair(sv[i]);
		id[i] = attach(&f, ch, i ? PORT_SINK : PORT_SOURCE, 1, sv[i][0], NULL);
		wait_state(&f, ch, id[i], PORT_RUNNING);
		fcntl(sv[i][0], F_SETFL, 0);
	}
	cr_assert_eq(send(sv[0][1], data, LEN / 2, 0), LEN / 2);
	for (int i = 0; i < 20; i++)
		look_at(&f, ch, id[0]);
	cr_assert_eq(detach(&f, ch, id[0]), 0);
	cr_assert_eq(detach(&f, ch, id[1]), 0);
	close(sv[0][1]);
	close(sv[1][1]);
}
