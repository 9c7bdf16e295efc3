/*
 * A closing is begun, released by its loop's requests (loop_release()), closed on a thread of its own, and told. The
 * thread has a small stack and is detached: it may never come back, so nobody waits for it, not even the end of the
 * daemon. That is why closings under way are counted per user (deferred_close_crowded()), and why one that finds no
 * thread is *left* open, for a later one that does: to close it here could hold up a loop for ever.
 *
 * Who tells is settled by the one change of the state away from RUNNING: the thread makes it CLOSED and posts its task,
 * or deferred_close_forget() makes it FORGOTTEN and posts the task itself, for the loop expects one. Thread and task
 * both hold the closing; the last one frees it.
 */
#include "deferred-close.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base.h"
#include "log.h"
#include "loop.h"
#include "thread.h"
#include "user-count.h"

/* For one system call, and what a sanitizer adds to it. */
#define STACK (128ul * 1024)

/* Closings under way of one user. */
#define USER_MAX 64

/* Of those that found no thread, with each one that does. */
#define LEFT_AT_ONCE 4

static struct user_counts closings = USER_COUNTS_NONE;

enum deferred_state { DEFERRED_RUNNING, DEFERRED_CLOSED, DEFERRED_FORGOTTEN };

struct deferred_close {
	int fd;
	void (*finish)(void *state);
	void *state;
	struct user_count *user;
	STAILQ_ENTRY(deferred_close) left;

	/* Where somebody waits: */
	struct loop *loop;
	void (*closed)(void *data);
	void *data;
	bool begun;
	bool on_thread;
	bool forgotten;
	struct loop_release release;
	struct loop_task task;
	atomic_int settled; /* enum deferred_state */
	atomic_uint holders;
};

static void deferred_close_drop(struct deferred_close *c)
{
	if (atomic_fetch_sub(&c->holders, 1) != 1)
		return;
	user_count_put(&closings, c->user);
	free(c);
}

bool deferred_close_crowded(uid_t uid)
{
	return user_count_of(&closings, uid) >= USER_MAX;
}

unsigned deferred_close_all(void)
{
	return user_count_all(&closings);
}

static void deferred_close_tell(struct deferred_close *c)
{
	int running = DEFERRED_RUNNING;

	if (c->loop && atomic_compare_exchange_strong(&c->settled, &running, DEFERRED_CLOSED))
		loop_arrive(c->loop, &c->task);
}

static void *deferred_close_run(void *arg)
{
	struct deferred_close *c = arg;

	thread_name(CLOSE_THREAD);
	if (c->finish)
		c->finish(c->state);
	else
		close(c->fd);
	user_count_end(&closings, c->user);
	deferred_close_tell(c);
	deferred_close_drop(c);
	return NULL;
}

/* The thread holds @c from now on. Returns 0 or a negative errno of pthread_create(3). */
static int deferred_close_try(struct deferred_close *c)
{
	return thread_start(NULL, STACK, deferred_close_run, c);
}

/* ---- those that found no thread ---- */

static pthread_mutex_t left_lock = PTHREAD_MUTEX_INITIALIZER;
static STAILQ_HEAD(, deferred_close) left = STAILQ_HEAD_INITIALIZER(left);

static void deferred_close_leave(struct deferred_close *c)
{
	pthread_mutex_lock(&left_lock);
	STAILQ_INSERT_TAIL(&left, c, left);
	pthread_mutex_unlock(&left_lock);
}

static struct deferred_close *deferred_close_take_left(void)
{
	struct deferred_close *c;

	pthread_mutex_lock(&left_lock);
	c = STAILQ_FIRST(&left);
	if (c)
		STAILQ_REMOVE_HEAD(&left, left);
	pthread_mutex_unlock(&left_lock);
	return c;
}

/* Threads can be had again, or so it seems: some of those that are left, for there may be many. */
bool deferred_close_again(void)
{
	for (int i = 0; i < LEFT_AT_ONCE; i++) {
		struct deferred_close *c = deferred_close_take_left();

		if (!c)
			return false;
		if (deferred_close_try(c) < 0) {
			deferred_close_leave(c);
			break;
		}
	}
	return true;
}

static void deferred_close_start(struct deferred_close *c)
{
	int err = deferred_close_try(c);

	if (err == 0) {
		deferred_close_again();
		return;
	}
	log_user_err(user_count_user(c->user), "no thread to close a descriptor with, it stays open for now: %s",
		     strerror(-err));
	deferred_close_tell(c);
	if (c->closed && c->finish) { /* whoever was told has taken back what that works with */
		user_count_end(&closings, c->user);
		deferred_close_drop(c);
	} else {
		deferred_close_leave(c);
	}
}

static void deferred_close_released(struct loop_release *release)
{
	struct deferred_close *c = container_of(release, struct deferred_close, release);

	if (c->forgotten || !release->loop)
		c->loop = NULL;
	if (c->loop) {
		loop_expect(c->loop);
		atomic_fetch_add(&c->holders, 1); /* the task's */
		c->on_thread = true;
	}
	deferred_close_start(c);
}

/* On the loop's thread, also where it was forgotten. */
static void deferred_close_done(struct loop_task *task)
{
	struct deferred_close *c = container_of(task, struct deferred_close, task);

	if (!c->forgotten)
		c->closed(c->data);
	deferred_close_drop(c);
}

struct deferred_close *deferred_close_create(struct loop *loop, uid_t uid, void (*closed)(void *data), void *data)
{
	struct deferred_close *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->user = user_count_get(&closings, uid);
	if (!c->user) {
		free(c);
		return NULL;
	}
	c->loop = loop;
	c->closed = closed;
	c->data = data;
	c->task.run = deferred_close_done;
	c->release.released = deferred_close_released;
	atomic_init(&c->holders, 1);
	return c;
}

void deferred_close_begin(struct deferred_close *c, int fd, void (*finish)(void *state), void *state)
{
	c->fd = c->release.fd = fd;
	c->finish = finish;
	c->state = state;
	c->begun = true;
	user_count_begin(&closings, c->user);
	loop_release(c->loop, &c->release);
}

void deferred_close_forget(struct deferred_close *c)
{
	int running = DEFERRED_RUNNING;

	if (!c)
		return;
	c->forgotten = true;
	if (!c->begun)
		deferred_close_drop(c);
	else if (c->on_thread && atomic_compare_exchange_strong(&c->settled, &running, DEFERRED_FORGOTTEN))
		loop_arrive(c->loop, &c->task);
}

/* ---- where nobody waits ---- */

/* NULL: no memory is left, which is logged. */
static struct deferred_close *deferred_close_create_forgotten(int fd, uid_t uid)
{
	struct deferred_close *c = deferred_close_create(NULL, uid, NULL, NULL);

	if (!c) {
		log_user_err(uid, "no memory to close a descriptor with, it stays open");
		return NULL;
	}
	c->forgotten = true;
	c->fd = c->release.fd = fd;
	user_count_begin(&closings, c->user);
	return c;
}

void deferred_close(int *fd, uid_t uid)
{
	struct deferred_close *c = *fd < 0 ? NULL : deferred_close_create_forgotten(*fd, uid);

	*fd = -1;
	if (c)
		deferred_close_start(c);
}

void deferred_close_after(int *fd, uid_t uid, struct loop *loop)
{
	struct deferred_close *c = *fd < 0 ? NULL : deferred_close_create_forgotten(*fd, uid);

	*fd = -1;
	if (c)
		loop_release(loop, &c->release);
}

void deferred_close_by(void (*finish)(void *state), void *state, uid_t uid)
{
	struct deferred_close *c = deferred_close_create_forgotten(-1, uid);

	if (!c)
		return;
	c->finish = finish;
	c->state = state;
	deferred_close_start(c);
}
