/* Who waits for another thread is answered by the deadline of what was asked, whichever step it is at. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "job.h"

static struct context ctx;
static struct loop *other;
static pthread_t thread;
static struct job job;
static unsigned lates, finishes;

static void start(void)
{
	cr_assert_eq(loop_create(&ctx.loop), 0);
	cr_assert_eq(loop_create(&other), 0);
}

static void stop(void)
{
	loop_destroy(other);
	loop_destroy(ctx.loop);
}

TestSuite(job, .init = start, .fini = stop, .timeout = 60);

static sem_t begun;

static void work(struct job *j)
{
	sem_post(&begun);
}

static void finish(struct job *j)
{
	finishes++;
	loop_stop(ctx.loop);
}

static bool half_over;

static void pass_half(struct loop_io *io, int res)
{
	half_over = true;
}

static void late(struct job *j)
{
	cr_expect_not(half_over, "it has the patience of a first step");
	lates++;
	loop_stop(ctx.loop);
}

Test(job, that_is_a_late_step_is_given_up_at_once)
{
	struct loop_io half;

	loop_io_init(&half, ctx.loop, pass_half);
	loop_io_timer(&half, JOB_PATIENCE_NSEC / 2);
	job_post(&ctx, other, &job, work, finish);
	job_patient(&job, clock_nsec(), late);
	cr_assert_eq(loop_run(ctx.loop), 0);
	cr_assert_eq(lates, 1);
	cr_assert(job_given_up(&job));
	loop_io_cancel(&half);
}

static void look(struct loop_io *io, int res)
{
	cr_assert_eq(lates, 0, "a work that has begun may take its time");
	job_done(&job);
}

Test(job, that_ends_when_it_likes_is_only_to_begin_in_time)
{
	struct loop_io timer;

	sem_init(&begun, 0, 0);
	loop_io_init(&timer, ctx.loop, look);
	loop_io_timer(&timer, 1500 * 1000000ull);
	job_post_longer(&ctx, other, &job, work, finish);
	cr_assert_eq(loop_start(other, "loop", &thread), 0);
	while (sem_wait(&begun) < 0)
		;
	job_patient(&job, clock_nsec() + 400 * 1000000ull, late);
	cr_assert_eq(loop_run(ctx.loop), 0);
	cr_assert_eq(finishes, 1);
	cr_assert_eq(lates, 0);
	loop_stop(other);
	pthread_join(thread, NULL);
}
