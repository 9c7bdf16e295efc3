#include <criterion/criterion.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attached.h"
#include "base.h"
#include "deferred-close.h"
#include "sanitized.h"

#define ROUNDS 300
#define ROOM (64ul << 10)

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

TestSuite(deferred_close, .init = start, .fini = stop, .timeout = 60);

/* A descriptor that the loop polls. */
struct watched {
	int fd;
	struct loop_io io;
	struct deferred_close *close;
	void (*finish)(void *state);
	sem_t closed;
	atomic_int times;
};

static void never(struct loop_io *io, int res)
{
}

static void closed(void *data)
{
	struct watched *w = data;

	atomic_fetch_add(&w->times, 1);
	sem_post(&w->closed);
}

static void call_watch(void *arg)
{
	struct watched *w = arg;

	loop_io_init(&w->io, f.worker->loop, never);
	loop_io_poll(&w->io, w->fd, POLLIN);
}

static void call_close(void *arg)
{
	struct watched *w = arg;

	w->close = deferred_close_create(f.worker->loop, getuid(), closed, w);
	deferred_close_begin(w->close, w->fd, w->finish, w);
}

static void call_cancel_and_close(void *arg)
{
	loop_io_cancel(&((struct watched *)arg)->io);
	call_close(arg);
}

static void call_forget(void *arg)
{
	deferred_close_forget(((struct watched *)arg)->close);
}

static void wait_sem(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		;
}

/* A poll that was cancelled holds the socket until the kernel has heard of it. */
Test(deferred_close, is_told_when_the_socket_is_really_closed)
{
	struct watched w = { 0 };
	int port, fd;

	sem_init(&w.closed, 0, 0);
	w.fd = tcp_listen(&port);
	for (int i = 0; i < ROUNDS; i++) {
		struct sockaddr_storage addr;
		socklen_t len = sizeof(addr);

		cr_assert_eq(getsockname(w.fd, (struct sockaddr *)&addr, &len), 0);
		on_worker(&f, call_watch, &w);
		on_worker(&f, call_cancel_and_close, &w);
		wait_sem(&w.closed);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cr_assert_eq(bind(fd, (struct sockaddr *)&addr, len), 0, "round %d: still there", i);
		cr_assert_eq(listen(fd, 1), 0);
		w.fd = fd;
	}
	cr_assert_eq(atomic_load(&w.times), ROUNDS);
	close(w.fd);
}

static sem_t hang;
static atomic_int finished;

static void finish_at_once(void *state)
{
	atomic_fetch_add(&finished, 1);
}

Test(deferred_close, waits_for_a_request_that_holds_the_file)
{
	struct watched w = { .finish = finish_at_once };
	int p[2];

	cr_assert_eq(pipe(p), 0);
	w.fd = p[0];
	sem_init(&w.closed, 0, 0);
	on_worker(&f, call_watch, &w);
	on_worker(&f, call_close, &w);
	poll(NULL, 0, 50);
	cr_expect_eq(atomic_load(&finished), 0, "closed too early");
	cr_assert_eq(write(p[1], "x", 1), 1);
	wait_sem(&w.closed);
	cr_expect_eq(atomic_load(&finished), 1);
	close(p[0]);
	close(p[1]);
}

static void finish_slowly(void *state)
{
	wait_sem(&hang);
	atomic_store(&finished, 1);
}

/* The end of the engine does not wait for a close that hangs, once it is forgotten. */
Test(deferred_close, that_is_forgotten_holds_nothing_up)
{
	struct watched w = { .fd = -1, .finish = finish_slowly };

	sem_init(&w.closed, 0, 0);
	sem_init(&hang, 0, 0);
	on_worker(&f, call_close, &w);
	cr_expect(!deferred_close_crowded(getuid()));
	on_worker(&f, call_forget, &w);
	engine_destroy(f.engine);
	f.engine = NULL;
	cr_expect_eq(atomic_load(&finished), 0);
	sem_post(&hang);
	WAIT_UNTIL(atomic_load(&finished));
	cr_expect_eq(atomic_load(&w.times), 0);
}

/* Some are through when they are forgotten, some are not; none is told, for that would be within the same task. */
static void call_close_and_forget(void *arg)
{
	int before = atomic_load(&finished);
	static int round;

	call_close(arg);
	while (round % 2 && atomic_load(&finished) == before)
		;
	round++;
	call_forget(arg);
}

Test(deferred_close, that_is_forgotten_is_not_told)
{
	struct watched w = { .fd = -1, .finish = finish_at_once };

	for (int i = 0; i < ROUNDS; i++)
		on_worker(&f, call_close_and_forget, &w);
	WAIT_UNTIL(atomic_load(&finished) == ROUNDS);
	cr_expect_eq(atomic_load(&w.times), 0);
}

/* The request never ends by itself: the descriptor is closed with the loop. */
Test(deferred_close, outlives_its_loop)
{
	struct watched w = { 0 };
	int p[2];

	cr_assert_eq(pipe(p), 0);
	w.fd = p[0];
	sem_init(&w.closed, 0, 0);
	on_worker(&f, call_watch, &w);
	on_worker(&f, call_close, &w);
	on_worker(&f, call_forget, &w);
	cr_expect_eq(poll(&(struct pollfd){ .fd = p[1], .events = POLLOUT }, 1, 0), 1);
	engine_destroy(f.engine);
	f.engine = NULL;
	WAIT_UNTIL(poll(&(struct pollfd){ .fd = p[1] }, 1, 0) == 1); /* POLLERR: nobody can read it */
	close(p[1]);
}

static void finish_when_told(void *state)
{
	wait_sem(&hang);
	atomic_fetch_add(&finished, 1);
}

/* 64 of one user's hang. Those of another are not counted with them, whatever their numbers have in common. */
Test(deferred_close, of_one_user_does_not_crowd_another)
{
	enum { MANY = 64, ONE = 1000, OTHER = ONE + 256 };

	sem_init(&hang, 0, 0);
	for (int i = 0; i < MANY; i++) {
		cr_assert(!deferred_close_crowded(ONE), "after %d", i);
		deferred_close_by(finish_when_told, NULL, ONE);
	}
	cr_expect(deferred_close_crowded(ONE));
	cr_expect(!deferred_close_crowded(OTHER));
	for (int i = 0; i < MANY; i++)
		sem_post(&hang);
	WAIT_UNTIL(atomic_load(&finished) == MANY);
	WAIT_UNTIL(!deferred_close_crowded(ONE));
}

/* What finds no thread is closed once there are threads again, with what is closed then. */
Test(deferred_close, without_threads, .disabled = SANITIZED)
{
	struct rlimit before, none;
	struct pollfd p[40];
	int fds[40][2];

	getrlimit(RLIMIT_AS, &before);
	none = before;
	none.rlim_cur = 1; /* what is there stays, and nothing comes to it */
	for (size_t i = 0; i < 40; i++) {
		cr_assert_eq(pipe(fds[i]), 0);
		p[i] = (struct pollfd){ .fd = fds[i][0], .events = POLLIN };
	}
	free(malloc(ROOM)); /* so that there is memory, and none for stacks */
	setrlimit(RLIMIT_AS, &none);
	for (size_t i = 0; i < 20; i++)
		deferred_close(&fds[i][1], getuid());
	setrlimit(RLIMIT_AS, &before);
	for (size_t i = 0; i < 20; i++)
		cr_expect_eq(poll(&p[i], 1, 0), 0, "there were threads");
	for (size_t i = 20; i < 24; i++)
		deferred_close(&fds[i][1], getuid());
	while (deferred_close_again())
		;
	for (size_t i = 24; i < 40; i++)
		deferred_close(&fds[i][1], getuid());
	for (size_t i = 0; i < 40; i++) {
		cr_expect_eq(poll(&p[i], 1, 20000), 1, "%zu stays open", i);
		close(fds[i][0]);
	}
}
