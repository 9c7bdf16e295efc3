#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "errand.h"
#include "fixture.h"

static struct fixture f;
static atomic_int freed, running;
static atomic_bool hang;

struct sent {
	struct errand errand;
	uint64_t nsec;
	int result;
	sem_t *told;
	int *answer;
};

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	hang = false;
	for (int i = 0; i < 2000 && running; i++)
		poll(NULL, 0, 10);
	cr_assert_eq(running, 0);
	fixture_stop(&f);
}

TestSuite(errand, .init = start, .fini = stop, .timeout = 60);

static void run(struct errand *e)
{
	while (hang)
		poll(NULL, 0, 10);
	container_of(e, struct sent, errand)->result = 42;
}

static void done(struct errand *e)
{
	struct sent *s = container_of(e, struct sent, errand);

	*s->answer = e->late ? -ETIMEDOUT : s->result;
	sem_post(s->told);
}

static void freed_one(struct errand *e)
{
	free(container_of(e, struct sent, errand));
	freed++;
	running--;
}

static int sent_err;

static void call_start_one(void *arg)
{
	struct sent *s = arg;

	sent_err = errand_start(&s->errand, s->nsec);
	if (sent_err < 0)
		free(s);
	else
		running++;
}

static int send_one(uid_t uid, uint64_t nsec, int *answer, sem_t *told)
{
	struct sent *s = calloc(1, sizeof(*s));

	*s = (struct sent){
		.errand = { .run = run, .done = done, .free = freed_one, .loop = f.worker->loop, .uid = uid },
		.nsec = nsec,
		.answer = answer,
		.told = told
	};
	on_worker(&f, call_start_one, s);
	return sent_err;
}

Test(errand, comes_back)
{
	int answer = 0;
	sem_t told;

	sem_init(&told, 0, 0);
	cr_assert_eq(send_one(1, 20 * NSEC_PER_SEC, &answer, &told), 0);
	sem_wait(&told);
	cr_assert_eq(answer, 42);
}

Test(errand, is_given_up_where_it_does_not)
{
	int answer = 0;
	sem_t told;

	sem_init(&told, 0, 0);
	hang = true;
	cr_assert_eq(send_one(1, NSEC_PER_SEC / 20, &answer, &told), 0);
	sem_wait(&told);
	cr_assert_eq(answer, -ETIMEDOUT);
	cr_assert_eq(freed, 0);
}

Test(errand, refuses_a_user_with_too_many_and_no_other)
{
	int answers[ERRAND_USER_MAX + 1];
	sem_t told;

	sem_init(&told, 0, 0);
	hang = true;
	for (int i = 0; i < ERRAND_USER_MAX; i++)
		cr_assert_eq(send_one(1, NSEC_PER_SEC / 100, &answers[i], &told), 0);
	for (int i = 0; i < ERRAND_USER_MAX; i++)
		sem_wait(&told);
	cr_assert_eq(send_one(1, NSEC_PER_SEC, &answers[0], &told), -EUSERS, "they are still there");
	cr_assert_eq(send_one(257, NSEC_PER_SEC / 100, &answers[ERRAND_USER_MAX], &told), 0);
	sem_wait(&told);
}
