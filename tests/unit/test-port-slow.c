#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attached.h"

#define BIG (8 << 20)

static struct fixture f;
static struct channel *ch;
static char *data;
static int port;

static void start(void)
{
	faults_install();
	data = pattern(BIG);
	fixture_start(&f);
	ch = fixture_channel(&f, 0);
}

static void stop(void)
{
	fixture_destroy(&f, ch);
	fixture_stop(&f);
	free(data);
}

TestSuite(port_slow, .init = start, .fini = stop, .timeout = 60);

static void write_origin(size_t len)
{
	struct writer w = { .f = &f, .id = 1, .data = data, .len = len };

	write_begin(&w);
	write_end(&w);
}

/* Twenty clients, of whom the first reads nothing. */
static void serve_twenty(const char *options, int fds[20], int *id)
{
	struct writer w = { .f = &f, .id = 1, .data = data, .len = BIG };
	char *buf = malloc(65536);
	size_t got[20] = { 0 }, all = 0;

	*id = attach_listener(&f, ch, PORT_SINK, 1, options, &port);
	for (int i = 0; i < 20; i++)
		fds[i] = tcp_connect(port);
	wait_clients(&f, ch, *id, 20);
	write_begin(&w);
	while (all < 19 * BIG) {
		struct pollfd p[19];

		for (int i = 0; i < 19; i++)
			p[i] = (struct pollfd){ .fd = got[i + 1] < BIG ? fds[i + 1] : -1, .events = POLLIN };
		cr_assert_gt(poll(p, 19, 10000), 0, "nothing comes, after %zu bytes", all);
		for (int i = 0; i < 19; i++) {
			ssize_t n = p[i].revents ? read(p[i].fd, buf, 65536) : 0;

			cr_assert(!p[i].revents || n > 0);
			cr_assert_eq(memcmp(buf, data + got[i + 1], (size_t)n), 0);
			got[i + 1] += (size_t)n;
			all += (size_t)n;
		}
	}
	write_end(&w);
	free(buf);
}

Test(port_slow, a_client_that_stalls_is_thrown_out_after_its_time_of_grace)
{
	int fds[20], id;
	struct look l;

	serve_twenty("?grace=3", fds, &id); /* seconds, which the others do not need */
	l = look_at(&f, ch, id);
	cr_assert_eq(l.disconnected, 1);
	cr_assert_gt(l.lost, 0);
	for (int i = 0; i < 20; i++)
		close(fds[i]);
}

static size_t drain(int fd)
{
	char *buf = malloc(65536);
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf, 65536)) > 0)
		len += (size_t)n;
	free(buf);
	return len;
}

Test(port_slow, what_slow_clients_missed_is_counted_exactly)
{
	int id = attach_listener(&f, ch, PORT_SINK, 1, "?slow=drop", &port), fds[3];
	size_t got = 0;

	for (int i = 0; i < 3; i++)
		fds[i] = tcp_connect(port);
	wait_clients(&f, ch, id, 3);
	write_origin(BIG);
	for (int i = 0; i < 3; i++) {
		got += drain(fds[i]);
		close(fds[i]);
	}
	wait_clients(&f, ch, id, 0);
	cr_assert_lt(got, 3 * BIG);
	cr_assert_eq(look_at(&f, ch, id).lost, 3 * BIG - got, "lost %ju, and they got %zu",
		     (uintmax_t)look_at(&f, ch, id).lost, got);
}

Test(port_slow, a_slow_client_may_hold_the_writer_back)
{
	struct writer w = { .f = &f, .id = 1, .data = data, .len = BIG };
	int id = attach_listener(&f, ch, PORT_SINK, 1, "?slow=block", &port), fd = tcp_connect(port);

	wait_clients(&f, ch, id, 1);
	write_begin(&w);
	expect_peer(fd, data, BIG);
	close(fd);
	write_end(&w);
	cr_assert_eq(look_at(&f, ch, id).lost, 0);
}
