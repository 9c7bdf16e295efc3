/*
 * Who calls free() is settled by the one change of the state away from RUNNING: the thread makes it READY and tells the
 * loop, which frees it after done(); or the loop makes it ABANDONED, and the thread frees it when it comes back.
 */
#include "errand.h"

#include <errno.h>

#include "base.h"
#include "thread.h"
#include "user-count.h"

/* What reading /proc takes, and what a sanitizer adds to it. */
#define STACK (512ul * 1024)

enum errand_state { ERRAND_RUNNING, ERRAND_READY, ERRAND_ABANDONED };

static struct user_counts errands = USER_COUNTS_NONE;

static void errand_count_end(struct user_count *count)
{
	user_count_end(&errands, count);
	user_count_put(&errands, count);
}

static void *errand_thread(void *arg)
{
	struct errand *e = arg;
	struct user_count *count = e->count;
	int running = ERRAND_RUNNING;

	thread_name("spfsd-errand");
	e->run(e);
	errand_count_end(count);
	if (atomic_compare_exchange_strong(&e->state, &running, ERRAND_READY))
		loop_arrive(e->loop, &e->task);
	else
		e->free(e);
	return NULL;
}

static void errand_back(struct loop_task *task)
{
	struct errand *e = container_of(task, struct errand, task);

	loop_io_cancel(&e->patience);
	if (!e->late)
		e->done(e);
	e->free(e);
}

void errand_abandon(struct errand *e)
{
	struct loop *loop = e->loop;
	int running = ERRAND_RUNNING;

	loop_io_cancel(&e->patience);
	e->late = true;
	e->done(e);
	if (atomic_compare_exchange_strong(&e->state, &running, ERRAND_ABANDONED))
		loop_unexpect(loop);
}

static void errand_impatient(struct loop_io *io, int res)
{
	errand_abandon(container_of(io, struct errand, patience));
}

int errand_start(struct errand *e, uint64_t nsec)
{
	int err;

	atomic_init(&e->state, ERRAND_RUNNING);
	e->late = false;
	e->task.run = errand_back;
	loop_io_init(&e->patience, e->loop, errand_impatient);
	e->count = user_count_get(&errands, e->uid);
	if (!e->count)
		return -ENOMEM;
	if (!user_count_begin_below(&errands, e->count, ERRAND_USER_MAX)) {
		user_count_put(&errands, e->count);
		return -EUSERS;
	}
	loop_expect(e->loop);
	err = thread_start(NULL, e->stack ? e->stack : STACK, errand_thread, e);
	if (err < 0) {
		loop_unexpect(e->loop);
		errand_count_end(e->count);
		return err;
	}
	if (nsec)
		loop_io_timer(&e->patience, nsec);
	return 0;
}
