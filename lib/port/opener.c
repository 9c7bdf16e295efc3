/*
 * Who owns an attempt is settled by the one change of its state away from ATTEMPT_RUNNING: the thread makes it
 * READY and tells the loop, which frees it; or opening_cancel() makes it ABANDONED, and the thread frees it. Either way
 * one task comes to the loop, which does not end before (loop_expect()): so the thread never posts to a loop that is
 * gone. An attempt counts until its thread has nothing left to do but to end, also for its user, who is refused more than
 * so many: what an abandoned one has opened it closes itself, however long that takes.
 *
 * The thread's user may slow it down (rights_take()). So nobody waits for its end: it is let go, not joined. And what it
 * tells and frees takes locks that all share; before that it is taken away from its user (rights_give_back()).
 *
 * An abandoned thread must come out of whatever call it waits in. One signal could come just before the call and
 * be lost; so its handler starts a timer, which sends the signal again until the thread is through. All calls are
 * made so that the signal interrupts them (no SA_RESTART), and whatever they did is thrown away.
 */
#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempt.h"
#include "base.h"
#include "kinds.h"
#include "rotation.h"
#include "thread.h"
#include "user-count.h"

#define INTERRUPT SIGRTMIN /* of a thread; the named ones are for users */
#define AGAIN_NSEC 10000000

/* Bytes of an address in a reason: the end of the reason must not be cut off. */
#define ADDRESS_SHOWN 80

/* Of what is made where the kind does not say: the sockets of the file system. */
#define OPENING_UMASK 0022

/* How much an opening steps back behind those who serve everybody. */
#define LOOK_NICE 10

/* Threads at the same time, with those that linger. Root's are beyond: it is root who mends what the others have done. */
#define ATTEMPTS_MAX 1024

static atomic_uint attempts;
static struct user_counts users = USER_COUNTS_NONE;

/* The calling thread's, while the signal may come. */
static _Thread_local struct attempt *mine;

static void attempt_interrupted(int signo)
{
	const struct itimerspec again = { { 0, AGAIN_NSEC }, { 0, AGAIN_NSEC } };
	int saved = errno;

	if (mine && atomic_load(&mine->state) == ATTEMPT_ABANDONED)
		timer_settime(mine->again, 0, &again, NULL);
	errno = saved;
}

static void attempt_catch_interrupt(void)
{
	struct sigaction action = { .sa_handler = attempt_interrupted };

	sigaction(INTERRUPT, &action, NULL);
}

bool attempt_again(const struct attempt *a)
{
	return errno == EINTR && atomic_load(&a->state) == ATTEMPT_RUNNING;
}

bool attempt_is_abandoned(const struct attempt *a)
{
	return atomic_load(&a->state) == ATTEMPT_ABANDONED;
}

/* As it was written, but of one of a series its own name: the end of that, which tells it from others. */
static const char *attempt_address(const struct attempt *a, size_t *len)
{
	const char *colon = strchr(a->uri.text, ':'); /* a descriptor has none */
	const char *address = colon ? colon + 1 : a->uri.text;

	*len = strcspn(address, "?");
	if (a->uri.path && uri_value(&a->uri, &file_rotate)) {
		*len = strlen(a->uri.path);
		address = a->uri.path + (*len > ADDRESS_SHOWN ? *len - ADDRESS_SHOWN : 0);
	}
	if (*len > ADDRESS_SHOWN)
		*len = ADDRESS_SHOWN;
	return address;
}

int attempt_failed(struct attempt *a, const char *verb, int err)
{
	size_t len;
	const char *address = attempt_address(a, &len);

	uri_why(a->why, "%s %.*s: %s", verb, (int)len, address, strerror(-err));
	return err;
}

static void attempt_destroy(struct attempt *a)
{
	if (!a)
		return;
	opened_close_here(&a->opened);
	uri_finish(&a->uri);
	rights_finish(&a->rights);
	if (a->counted)
		user_count_end(&users, a->user);
	user_count_put(&users, a->user);
	fd_close(&a->process);
	free(a);
	atomic_fetch_sub(&attempts, 1);
}

/* Whether one more thread is granted. */
static int attempt_count(struct attempt *a, const struct opening *o)
{
	uid_t uid = o->rights->uid;

	a->user = user_count_get(&users, uid);
	if (!a->user)
		return -ENOMEM;
	a->counted = user_count_begin_below(&users, a->user, o->own ? UINT_MAX : OPENING_USER_MAX);
	if (!a->counted)
		return -EUSERS;
	return uid != 0 && atomic_load(&attempts) > ATTEMPTS_MAX ? -EAGAIN : 0;
}

static int attempt_create(struct attempt **out, const struct opening *o)
{
	struct attempt *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->opened = OPENED_NONE;
	a->process = -1;
	atomic_fetch_add(&attempts, 1);
	err = attempt_count(a, o);
	a->dir = o->dir;
	a->after = o->after;
	a->mount = o->mount;
	if (err == 0)
		err = uri_copy(&a->uri, o->uri);
	if (err == 0)
		err = rights_copy(&a->rights, o->rights);
	if (err == 0 && o->process >= 0) {
		a->process = fcntl(o->process, F_DUPFD_CLOEXEC, 0);
		err = a->process < 0 ? -errno : 0;
	}
	if (err < 0)
		attempt_destroy(a);
	else
		*out = a;
	return err;
}

/* ---- on the thread ---- */

static void attempt_mask_interrupt(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, INTERRUPT);
	pthread_sigmask(how, &set, NULL);
}

/* Here, because a process has as many mounts as its user likes. */
static int attempt_look_at_process(struct attempt *a)
{
	const char *option = a->dir == PORT_SOURCE ? "source --fd" : "sink --fd";
	const char *confined;
	int err;

	if (a->process < 0)
		return 0;
	if (geteuid() == 0) /* (an ordinary user's serves him alone, and could not come back) */
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + LOOK_NICE); /* of this thread, on Linux */
	err = rights_same_view(a->process);
	if (err < 0 && err != -EXDEV && err != -ESRCH)
		return attempt_failed(a, "look at who asks for", err);
	if (err < 0) {
		uri_why(a->why, "names mean something else to the daemon; pass a descriptor: spfs %s", option);
		return -EXDEV;
	}
	confined = rights_confined(a->process);
	if (!confined)
		return 0;
	uri_why(a->why, "you may be confined (%s); pass a descriptor: spfs %s", confined, option);
	return -EXDEV;
}

/* A umask of its own. */
static int attempt_leave_file_system(struct attempt *a)
{
	if (unshare(CLONE_FS) < 0)
		return attempt_failed(a, "make a thread for", -errno);
	umask(OPENING_UMASK);
	return 0;
}

static int attempt_with_rights(struct attempt *a, int (*call)(const struct rights *r))
{
	int err = call(&a->rights);

	return err < 0 ? attempt_failed(a, "take the caller's rights for", err) : 0;
}

static int attempt_open(struct attempt *a)
{
	bool passed = a->uri.kind->passed; /* it is open */
	int err = passed ? 0 : attempt_with_rights(a, rights_check);

	if (err == 0)
		err = attempt_look_at_process(a);
	if (err == 0 && !passed)
		err = attempt_leave_file_system(a);
	if (err == 0 && !passed && !a->uri.kind->as_daemon)
		err = attempt_with_rights(a, rights_take);
	if (err < 0)
		return err;
	err = a->uri.kind->open(a);
	if (err < 0)
		return err;
	err = opened_look(&a->opened);
	return err < 0 ? attempt_failed(a, "look at", err) : 0;
}

static void *attempt_run(void *arg)
{
	struct attempt *a = arg;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = INTERRUPT };
	int running = ATTEMPT_RUNNING;

	thread_name("spfsd-open");
	event._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &a->again) < 0) {
		a->err = attempt_failed(a, "make a timer for", -errno);
	} else {
		mine = a;
		attempt_mask_interrupt(SIG_UNBLOCK);
		a->err = attempt_open(a);
		attempt_mask_interrupt(SIG_BLOCK);
		mine = NULL;
		timer_delete(a->again);
	}
	if (a->err < 0)
		opened_close_here(&a->opened);
	rights_give_back();
	if (atomic_compare_exchange_strong(&a->state, &running, ATTEMPT_READY))
		loop_arrive(a->o->loop, &a->o->task);
	else
		attempt_destroy(a);
	return NULL;
}

/* ---- on the loop ---- */

static void opening_tell(struct loop_task *task)
{
	struct opening *o = container_of(task, struct opening, task);
	struct attempt *a = o->attempt;

	o->attempt = NULL;
	if (a) {
		pthread_detach(o->thread);
		o->err = a->err;
		memcpy(o->why, a->why, sizeof(o->why));
		o->opened = opened_take(&a->opened);
		attempt_destroy(a);
	}
	o->done(o);
}

int opening_start(struct opening *o)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int err;

	o->opened = OPENED_NONE;
	o->task.run = opening_tell;
	err = attempt_create(&o->attempt, o);
	if (err < 0)
		return err;
	o->attempt->o = o;
	o->attempt->opened.fd = o->fd;
	pthread_once(&once, attempt_catch_interrupt);
	err = thread_start(&o->thread, 0, attempt_run, o->attempt);
	if (err < 0) {
		o->attempt->opened = OPENED_NONE;
		attempt_destroy(o->attempt);
		o->attempt = NULL;
	} else { /* on the loop's own thread, so it cannot have looked in between */
		loop_expect(o->loop);
	}
	return err;
}

void opening_cancel(struct opening *o)
{
	int running = ATTEMPT_RUNNING;

	if (!o->attempt || !atomic_compare_exchange_strong(&o->attempt->state, &running, ATTEMPT_ABANDONED))
		return;
	o->attempt = NULL;
	pthread_kill(o->thread, INTERRUPT);
	pthread_detach(o->thread);
	o->err = -EINTR;
	uri_why(o->why, "%s", strerror(EINTR));
	loop_arrive(o->loop, &o->task);
}
