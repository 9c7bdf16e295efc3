/*
 * Starting a program, with a pipe and two sockets (program-arguments.c says what). On the thread of an opening, which still has the
 * daemon's rights.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "kinds.h"
#include "pipe.h"
#include "program-arguments.h"
#include "program-inherit.h"
#include "programs.h"
#include "user-count.h"

static struct user_counts users = USER_COUNTS_NONE;

/* ---- its ends ---- */

/* The program's of each. */
struct ends {
	int data, words, errors;
};

static void ends_close(struct ends *e)
{
	fd_close(&e->data);
	fd_close(&e->words);
	fd_close(&e->errors);
}

static int program_socket(int type, int *ours, int *its)
{
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*ours = pair[0];
	*its = pair[1];
	return 0;
}

/*
 * It may open its end again by its name (/dev/stdin), as scripts do, and no other: who could write a sink's pipe could write into
 * what goes back to the channel. So its group may, but it is root's to change that.
 */
static void program_share_pipe(int pipe, enum port_dir dir, gid_t gid)
{
	if (geteuid() == 0 && fchown(pipe, (uid_t)-1, gid) == 0)
		fchmod(pipe, S_IRUSR | S_IWUSR | (dir == PORT_SINK ? S_IRGRP : S_IWGRP));
}

static int program_open_ends(struct program *p, struct ends *its, gid_t gid)
{
	int fds[2], ours = p->dir == PORT_SINK, err;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	program_share_pipe(fds[0], p->dir, gid);
	p->data = fds[ours];
	its->data = fds[!ours];
	p->unread = ours ? fcntl(its->data, F_DUPFD_CLOEXEC, 0) : -1;
	if (ours && p->unread < 0)
		return -errno;
	pipe_grow(p->data, PIPE_SIZE);
	if (fcntl(p->data, F_SETFL, O_NONBLOCK) < 0) /* of this end alone: they are two open files */
		return -errno;
	err = program_socket(SOCK_SEQPACKET, &p->words, &its->words);
	if (err == 0) /* by which a message is known from the end (program-words.c) */
		err = setsockopt(p->words, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) < 0 ? -errno : 0;
	if (err == 0)
		err = program_socket(SOCK_STREAM, &p->errors, &its->errors);
	if (err == 0) /* or what is urgent would be thrown away as the rest is read, with what was passed */
		err = setsockopt(p->errors, SOL_SOCKET, SO_OOBINLINE, &(int){ 1 }, sizeof(int)) < 0 ? -errno : 0;
	return err;
}

/* In an order in which none overwrites one that is still to be copied: 0 to 2 are nobody's. */
static int program_actions(posix_spawn_file_actions_t *actions, const struct program *p, const struct ends *its)
{
	bool sink = p->dir == PORT_SINK;
	int err = posix_spawn_file_actions_adddup2(actions, its->data, sink ? STDIN_FILENO : STDOUT_FILENO);

	if (!err)
		err = posix_spawn_file_actions_addopen(actions, sink ? STDOUT_FILENO : STDIN_FILENO, "/dev/null",
						       O_RDWR, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(actions, its->errors, STDERR_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(actions, its->words, PROGRAM_WORDS_FD);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(actions, PROGRAM_WORDS_FD + 1);
	if (!err)
		err = posix_spawn_file_actions_addchdir_np(actions, "/");
	return -err;
}

static int program_attributes(posix_spawnattr_t *attributes)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID;
	sigset_t all, none;
	int err;

	sigfillset(&all);
	sigemptyset(&none);
	err = posix_spawnattr_setsigdefault(attributes, &all);
	if (!err)
		err = posix_spawnattr_setsigmask(attributes, &none);
	if (!err)
		err = -program_scheduling(attributes, &flags);
	if (!err)
		err = posix_spawnattr_setflags(attributes, flags);
	return -err;
}

/* As a process that can be waited for. What cannot be started is said: it is the first of several commands. */
static int program_spawn(struct program *p, const struct ends *its, struct program_texts *arguments,
			 struct program_texts *environment, char why[URI_WHY_MAX])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int err = -posix_spawn_file_actions_init(&actions);

	if (err < 0)
		return err;
	err = -posix_spawnattr_init(&attributes);
	if (err == 0) {
		err = program_actions(&actions, p, its);
		if (err == 0)
			err = program_attributes(&attributes);
		if (err == 0)
			err = -posix_spawn(&p->pid, arguments->of[0], &actions, &attributes, arguments->of,
					   environment->of);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (err < 0)
		uri_why(why, "start %s: %s", arguments->of[0], strerror(-err));
	return err;
}

/* Spawned, and known to programs_end(), without a moment in which it is neither announced nor entered. */
static int program_run(struct program *p, const struct ends *its, struct program_texts *arguments,
		       struct program_texts *environment, char *why)
{
	int err;

	if (!program_announce())
		return -ECANCELED;
	err = program_spawn(p, its, arguments, environment, why);
	if (err == 0) {
		p->process = pidfd_open(p->pid, 0);
		if (p->process >= 0) {
			program_enter(p);
			return 0;
		}
		err = -errno; /* nobody can be told of its end: it is to be gone before anybody is told of this */
		kill(-p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	program_give_up();
	return err;
}

/* No more than he may have at the same time. */
static int program_count(struct program *p, uid_t uid)
{
	struct user_count *user = user_count_get(&users, uid);

	if (!user)
		return -ENOMEM;
	if (user_count_begin_below(&users, user, uid ? PROGRAM_USER_MAX : UINT_MAX)) {
		p->user = user;
		return 0;
	}
	user_count_put(&users, user);
	return -EUSERS;
}

void program_forget(struct program *p)
{
	fd_close(&p->data);
	fd_close(&p->unread);
	fd_close(&p->words);
	fd_close(&p->errors);
	fd_close(&p->stray);
	fd_close(&p->process);
	if (p->user) {
		user_count_end(&users, p->user);
		user_count_put(&users, p->user);
	}
	free(p->name);
	free(p);
}

static int program_begin(struct program *p, struct attempt *a, const char *path)
{
	struct ends its = { -1, -1, -1 };
	_cleanup_program_texts_ struct program_texts arguments = { 0 }, environment = { 0 };
	int err = program_count(p, a->rights.uid);

	if (err == 0)
		err = program_arguments(&arguments, a, path, a->why);
	if (err == 0)
		program_environment(&environment, a->rights.uid);
	if (err == 0)
		err = program_open_ends(p, &its, a->rights.gid);
	if (err == 0 && attempt_is_abandoned(a))
		err = -ECANCELED;
	if (err == 0)
		err = environment.err;
	if (err == 0)
		err = program_inherits(a);
	if (err == 0)
		err = program_run(p, &its, &arguments, &environment, a->why);
	ends_close(&its);
	return err;
}

int program_start(struct program **out, struct attempt *a)
{
	struct program *p = calloc(1, sizeof(*p));
	_cleanup_free_ char *path = NULL;
	int err;

	if (!p)
		return attempt_failed(a, "start the program for", -ENOMEM);
	p->dir = a->dir;
	memcpy(p->how, "program", sizeof("program")); /* until it says better */
	p->process = p->data = p->unread = p->words = p->errors = p->stray = -1;
	p->name = strdup(uri_name(&a->uri));
	err = p->name ? programs_find(p->name, &path, a->why) : -ENOMEM;
	if (err == 0)
		err = program_begin(p, a, path);
	if (err == 0) {
		*out = p;
		return 0;
	}
	program_forget(p);
	if (*a->why)
		return err;
	if (err == -EUSERS)
		return uri_refuse(a->why, err, "you have too many programs running");
	uri_why(a->why, "start %s: %s", path ? path : uri_name(&a->uri), strerror(-err));
	return err;
}
