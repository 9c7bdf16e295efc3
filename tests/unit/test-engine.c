#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "fixture.h"

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

TestSuite(engine, .init = start, .fini = stop, .timeout = 60);

static struct worker *assign(uid_t uid, enum worker_reach reach)
{
	struct worker *w = NULL;

	cr_assert_eq(engine_assign(f.engine, uid, reach, &w), 0);
	return w;
}

static unsigned count(void)
{
	struct worker *w = NULL;
	unsigned n = 0;

	while ((w = engine_next(f.engine, w)))
		n += !w->leaving;
	return n;
}

Test(engine, gives_no_two_users_the_same_worker)
{
	struct worker *a = assign(70001, WORKER_OPEN), *b = assign(70002, WORKER_OPEN);

	cr_assert_neq(a, b);
	cr_assert_neq(a, f.worker);
	cr_assert_neq(b, f.worker);
	cr_assert_eq(assign(70001, WORKER_OPEN), a);
}

Test(engine, keeps_what_others_may_open_from_what_they_may_not)
{
	struct worker *open = assign(70001, WORKER_OPEN), *closed = assign(70001, WORKER_CLOSED);

	cr_assert_neq(open, closed);
	cr_assert_neq(assign(70001, WORKER_HIDDEN), open);
	cr_assert_neq(assign(70001, WORKER_HIDDEN), closed);
	cr_assert_eq(assign(70001, WORKER_CLOSED), closed);
}

Test(engine, gives_the_next_channel_another_worker_than_one_that_stands)
{
	struct worker *w = assign(70001, WORKER_OPEN);

	w->stands = true;
	cr_assert_eq(assign(70001, WORKER_OPEN), w, "there is one for each sort");
	engine_destroy(f.engine);
	cr_assert_eq(engine_create(&f.engine, 2, f.dir, NULL), 0);
	w = assign(70001, WORKER_OPEN);
	w->stands = true;
	cr_assert_neq(assign(70001, WORKER_OPEN), w);
	cr_assert_neq(assign(70001, WORKER_OPEN), w, "though it has fewer channels");
}

Test(engine, lets_a_worker_go_that_has_nothing_to_do)
{
	unsigned before = count();
	struct worker *a = assign(70001, WORKER_OPEN), *b = assign(70002, WORKER_OPEN);

	before++; /* one to be shared */
	engine_release(a);
	engine_rest(f.engine, clock_nsec());
	cr_assert_eq(count(), before + 2, "it may be wanted again soon");
	engine_rest(f.engine, clock_nsec() + ENGINE_REST_NSEC + 1);
	cr_assert_eq(count(), before + 1);
	cr_assert_eq(assign(70002, WORKER_OPEN), b);
	for (int i = 0; i < 2000 && !loop_ended(a->loop); i++)
		poll(NULL, 0, 10);
	engine_rest(f.engine, clock_nsec());
	assign(70001, WORKER_OPEN);
}

Test(engine, keeps_a_worker_that_stands_where_it_can_be_seen)
{
	struct worker *w = assign(70001, WORKER_OPEN);
	unsigned before = count();

	engine_release(w);
	w->stands = true;
	engine_rest(f.engine, clock_nsec() + ENGINE_REST_NSEC + 1);
	cr_assert_eq(count(), before, "who ends the engine has to know of it");
	w->stands = false;
	engine_rest(f.engine, clock_nsec() + ENGINE_REST_NSEC + 1);
	cr_assert_eq(count(), before - 1);
}

struct stuck {
	struct loop_task task;
	sem_t in, go;
};

static void get_stuck(struct loop_task *task)
{
	struct stuck *s = container_of(task, struct stuck, task);

	sem_post(&s->in);
	sem_wait(&s->go);
}

static bool is_seen(const struct worker *sought)
{
	struct worker *w = NULL;

	while ((w = engine_next(f.engine, w)))
		if (w == sought)
			return true;
	return false;
}

Test(engine, shows_a_worker_that_leaves_until_it_has_ended)
{
	struct worker *w = assign(70001, WORKER_OPEN);
	struct stuck s = { .task.run = get_stuck };

	sem_init(&s.in, 0, 0);
	sem_init(&s.go, 0, 0);
	engine_release(w);
	loop_post(w->loop, &s.task);
	sem_wait(&s.in);
	engine_rest(f.engine, clock_nsec() + ENGINE_REST_NSEC + 1);
	cr_assert(w->leaving);
	engine_rest(f.engine, clock_nsec());
	cr_assert(is_seen(w), "the watchdog does not see that it stands");
	cr_assert(engine_has_leaving(f.engine), "the end would wait for it");
	sem_post(&s.go);
	for (int i = 0; i < 2000 && !loop_ended(w->loop); i++)
		poll(NULL, 0, 10);
	cr_assert_not(engine_has_leaving(f.engine));
	engine_rest(f.engine, clock_nsec());
	cr_assert_not(is_seen(w));
}

Test(engine, keeps_the_workers_of_the_daemons_own_user)
{
	unsigned before;

	engine_release(assign(geteuid(), WORKER_CLOSED));
	before = count();
	engine_rest(f.engine, clock_nsec() + ENGINE_REST_NSEC + 1);
	cr_assert_eq(count(), before);
}

/* Leaves as many descriptors. */
static void leave(unsigned fds)
{
	struct rlimit limit;
	int next = dup(0);

	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)next + fds;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Without descriptors it is the same as with ENGINE_WORKERS_MAX. */
Test(engine, has_users_share_workers_where_there_can_be_no_more)
{
	struct worker *own = assign(geteuid(), WORKER_OPEN), *alone = assign(70000, WORKER_OPEN), *late = NULL;

	leave(33); /* (a worker takes five, and malloc(3) has another one for a moment as a thread begins) */
	for (uid_t i = 1; i <= 30 && !(late && late->shared); i++)
		late = assign(70000 + i, WORKER_OPEN);
	cr_assert(late->shared);
	cr_assert_eq(assign(90000, WORKER_CLOSED), late);
	cr_assert_eq(assign(70000, WORKER_OPEN), alone);
	cr_assert_eq(assign(geteuid(), WORKER_OPEN), own);
	cr_assert_neq(assign(geteuid(), WORKER_CLOSED), late);
}

Test(engine, says_so_where_there_is_no_worker_and_none_to_share)
{
	struct rlimit was;
	struct worker *w;

	getrlimit(RLIMIT_NOFILE, &was);
	leave(0);
	cr_assert_eq(engine_assign(f.engine, 70001, WORKER_OPEN, &w), -EMFILE);
	cr_assert_eq(engine_assign(f.engine, geteuid(), WORKER_OPEN, &w), 0);
	setrlimit(RLIMIT_NOFILE, &was);
	cr_assert_eq(engine_assign(f.engine, 70001, WORKER_OPEN, &w), 0);
	cr_assert_not(w->shared);
}
