/*
 * A program's end. It is seen by its pidfd, and waited for by the daemon alone, so that its number stays its own for as long
 * as the group of that number may be sent signals: a group has the number of a process that has not been waited for.
 */
#include "program.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "deferred-close.h"
#include "programs.h"
#include "thread.h"
#include "user-count.h"

/* What a sink gets to move what it has, and what everybody gets to end. */
#define PROGRAM_MOMENT_NSEC (NSEC_PER_SEC * 9 / 10)

/* What the system gets, beyond PROGRAMS_END_NSEC, to start what is to be killed then. */
#define PROGRAMS_SPAWN_NSEC (NSEC_PER_SEC / 2)

bool program_look(struct program *p)
{
	struct pollfd end = { .fd = p->process, .events = POLLIN };
	siginfo_t info = { 0 };

	if (p->ended || poll(&end, 1, 0) <= 0)
		return p->ended;
	/* WNOWAIT: its number is to stay taken until its group is gone. It is told to who traces it, who has not taken note yet. */
	if (waitid(P_PIDFD, (id_t)p->process, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		info = (siginfo_t){ 0 };
	p->ended = true;
	p->status = info.si_status;
	p->code = info.si_code;
	return true;
}

/* "exit status 3: what it has complained of" */
static int program_failed(const struct program *p, const char *how, int what, char why[URI_WHY_MAX])
{
	uri_why(why, "%s: %s %d%s%s", p->name, how, what, *p->complaint ? ": " : "", p->complaint);
	return -EIO;
}

bool program_ended_well(const struct program *p)
{
	return p->ended && p->err == 0 && p->code == CLD_EXITED && p->status == 0;
}

int program_result(const struct program *p, char why[URI_WHY_MAX])
{
	if (p->err < 0) {
		uri_why(why, "%s", p->why);
		return p->err;
	}
	if (p->code == 0) {
		uri_why(why, "%s: it has ended while it was traced", p->name);
		return -EIO;
	}
	if (p->code != CLD_EXITED)
		return program_failed(p, "killed by signal", p->status, why);
	return p->status ? program_failed(p, "exit status", p->status, why) : 0;
}

bool program_tell_end(struct program *p)
{
	static const char end[] = "end\n";

	return send(p->words, end, sizeof(end) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

/* ---- all of them ---- */

static pthread_mutex_t programs_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, program) programs = LIST_HEAD_INITIALIZER(programs);
static unsigned programs_announced;
static bool programs_over;

bool program_announce(void)
{
	bool may;

	pthread_mutex_lock(&programs_lock);
	may = !programs_over;
	programs_announced += may;
	pthread_mutex_unlock(&programs_lock);
	return may;
}

void program_enter(struct program *p)
{
	pthread_mutex_lock(&programs_lock);
	programs_announced--;
	LIST_INSERT_HEAD(&programs, p, entry);
	if (programs_over)
		program_kill_group(p);
	pthread_mutex_unlock(&programs_lock);
}

void program_give_up(void)
{
	pthread_mutex_lock(&programs_lock);
	programs_announced--;
	pthread_mutex_unlock(&programs_lock);
}

/* Its number is another's as soon as it has been waited for. It has ended. */
static void program_leave(struct program *p)
{
	pthread_mutex_lock(&programs_lock);
	LIST_REMOVE(p, entry);
	waitid(P_PIDFD, (id_t)p->process, &(siginfo_t){ 0 }, WEXITED | WNOHANG);
	pthread_mutex_unlock(&programs_lock);
}

/* Whether any is there or about to be; @announced: only the latter. */
static bool programs_are_there(bool announced)
{
	bool any;

	pthread_mutex_lock(&programs_lock);
	any = programs_announced || (!announced && !LIST_EMPTY(&programs));
	pthread_mutex_unlock(&programs_lock);
	return any;
}

static void programs_await(bool announced, uint64_t nsec)
{
	uint64_t until = clock_nsec() + nsec;

	while (programs_are_there(announced) && clock_nsec() < until)
		poll(NULL, 0, 10);
}

void programs_end(void)
{
	struct program *p;

	pthread_mutex_lock(&programs_lock);
	programs_over = true; /* what is entered from now on is killed at once */
	pthread_mutex_unlock(&programs_lock);
	programs_await(false, PROGRAMS_END_NSEC);
	pthread_mutex_lock(&programs_lock);
	LIST_FOREACH(p, &programs, entry)
		program_kill_group(p);
	pthread_mutex_unlock(&programs_lock);
	programs_await(true, PROGRAMS_SPAWN_NSEC);
}

void program_kill_group(const struct program *p)
{
	kill(-p->pid, SIGKILL);
}

/* Returns whether it has ended. The thread of an opening that is given up is interrupted again and again. */
static bool program_wait(struct program *p)
{
	struct pollfd end = { .fd = p->process, .events = POLLIN };
	uint64_t until = clock_nsec() + PROGRAM_MOMENT_NSEC, now;

	while (!program_look(p) && (now = clock_nsec()) < until)
		poll(&end, 1, (int)((until - now) / (NSEC_PER_SEC / 1000)) + 1);
	return p->ended;
}

void program_stop(struct program *p)
{
	/* What it has passed, which is in its words too, may take for ever to close: not while it still runs. */
	if (p->handed)
		deferred_close(&p->data, user_count_user(p->user));
	else
		fd_close(&p->data);
	shutdown(p->words, SHUT_RDWR);
	if (p->dir == PORT_SINK && program_moves(p))
		program_wait(p);
	if (!program_look(p))
		kill(-p->pid, SIGTERM);
	program_wait(p);
	program_kill_group(p);
}

void program_bury(void *program)
{
	struct program *p = program;

	thread_name(PROGRAMS_THREAD);
	while (waitid(P_PIDFD, (id_t)p->process, &(siginfo_t){ 0 }, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	program_leave(p);
	thread_name(CLOSE_THREAD);
	program_forget(p);
}

void program_close(void *program)
{
	program_stop(program);
	program_bury(program);
}
