#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attached.h"
#include "linger.h"

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

TestSuite(linger, .init = start, .fini = stop, .timeout = 60);

static void call_add(void *arg)
{
	linger_add(&f.worker->lingers, f.worker->loop, *(int *)arg, getuid(), NULL);
}

static void call_left(void *arg)
{
	*(bool *)arg = !TAILQ_EMPTY(&f.worker->lingers);
}

static bool any_left(void)
{
	bool left;

	on_worker(&f, call_left, &left);
	return left;
}

Test(linger, delivers_everything_to_a_peer_whose_request_nobody_has_read)
{
	enum { LEN = 300000 };
	char *data = pattern(LEN), *buf = malloc(LEN + 1);
	int sv[2];

	tcp_pair(sv);
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &(int){ LEN * 2 }, sizeof(int));
	cr_assert_eq(send(sv[1], "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	cr_assert_eq(send(sv[0], data, LEN, 0), LEN);
	on_worker(&f, call_add, &sv[0]);
	cr_assert_eq(read_all(sv[1], buf, LEN + 1), LEN);
	cr_assert_eq(memcmp(buf, data, LEN), 0);
	cr_assert(any_left());
	close(sv[1]);
	WAIT_UNTIL(!any_left());
	free(data);
	free(buf);
}

static atomic_bool enough;

static void *flood(void *arg)
{
	char *buf = pattern(1 << 20);

	while (!enough && send(*(int *)arg, buf, 1 << 20, MSG_NOSIGNAL) > 0)
		;
	free(buf);
	return NULL;
}

Test(linger, leaves_the_worker_to_others_while_a_peer_floods_it)
{
	pthread_t threads[2];
	int sv[2][2];

	for (int i = 0; i < 2; i++) {
		tcp_pair(sv[i]);
		on_worker(&f, call_add, &sv[i][0]);
		pthread_create(&threads[i], NULL, flood, &sv[i][1]);
	}
	for (int i = 0; i < 200; i++)
		cr_assert(any_left());
	enough = true;
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		close(sv[i][1]);
	}
}

/* Full to the brim, with a peer that takes nothing, and told to wait for it in its last close. */
static void make_hang(int sv[2])
{
	static char zeros[1 << 16];

	tcp_pair(sv);
	while (send(sv[0], zeros, sizeof(zeros), MSG_DONTWAIT) > 0)
		;
	setsockopt(sv[0], SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 60 }, sizeof(struct linger));
}

/* The peer is done with sending, so its socket is to be closed, and has not taken what it was sent. */
Test(linger, leaves_the_worker_to_others_while_the_last_close_waits_for_the_peer)
{
	struct timespec before, after;
	int sv[2];

	make_hang(sv);
	on_worker(&f, call_add, &sv[0]);
	clock_gettime(CLOCK_MONOTONIC, &before);
	shutdown(sv[1], SHUT_WR);
	WAIT_UNTIL(!any_left());
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect_lt(after.tv_sec - before.tv_sec, 30, "the worker waited");
	close(sv[1]);
}

Test(linger, does_not_hold_up_the_end_of_the_engine)
{
	enum { MANY = 300 };
	int sv[MANY][2];

	for (int i = 0; i < MANY; i++) {
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv[i]), 0);
		on_worker(&f, call_add, &sv[i][0]);
	}
	engine_destroy(f.engine);
	f.engine = NULL;
	for (int i = 0; i < MANY; i++) {
		cr_expect_eq(recv(sv[i][1], &(char){ 0 }, 1, 0), 0);
		close(sv[i][1]);
	}
}
