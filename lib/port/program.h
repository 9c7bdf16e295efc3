/*
 * A program that is a port: spfs-port-NAME, started for one port, whose standard input (of a sink) or output (of a source) is
 * a pipe that the daemon fills or drains. What else it has to say, it says on a socket (program-words.c, spfs-port(7)).
 *
 * It is the user's: it runs with the rights of who attached the port and none besides, so it can be stopped, traced and
 * killed by him, and may do whatever he may. The daemon believes nothing it says, waits for it nowhere but on threads of
 * openings and closings, and holds with it no pipe but the one between them.
 *
 * Its process group goes with the port; what has left that group (setsid(2)) has left the port as well.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "attempt.h"
#include "opened.h"

struct user_count;

/* Of one user at the same time, but root's. */
#define PROGRAM_USER_MAX 64

struct program {
	char *name; /* what it is called */
	enum port_dir dir;
	pid_t pid;   /* and its group's */
	int process; /* pidfd_open(2); readable once it has ended */
	int data;    /* the daemon's end of the pipe, or what the program has handed over; -1: closed */
	int unread;  /* of a sink's pipe: the other end, for what has not been read when it ends; or -1 */
	int words;   /* the daemon's end of the socket, */
	int errors;  /* and of what it complains on: closed with what is in them, so not before program_forget() */
	int stray;   /* what it has passed though it may not; or -1 */

	bool handed;    /* ->data is what it has handed over */
	bool listening; /* it has said so: it waits for a peer */
	bool ready;     /* it has said so */
	bool breached;  /* it has passed what it may not: it is to go, and is not heard any more */
	bool words_over;
	bool errors_over;
	int err; /* it has said why it fails, or has to for a breach: a negative errno */
	char why[URI_WHY_MAX];
	char how[PORT_HOW_MAX]; /* it moves, as it says */

	bool ended;                  /* and its process has been waited for */
	int status;                  /* then, as of waitid(2): */
	int code;                    /* CLD_EXITED, ..., or 0: whoever traces it has that, and keeps it */
	char complaint[URI_WHY_MAX]; /* the last line that it has written to standard error */
	size_t line_len;             /* of the line that is being written, */
	char line[URI_WHY_MAX];      /* which is this */
	struct user_count *user;
	LIST_ENTRY(program) entry; /* of all */
};

/*
 * Starts the one that a->uri names for @a, on its thread. Returns 0 and the program, which the caller closes, or a negative
 * errno with the reason written: EINVAL (it is not installed), EUSERS (the user has too many), or of pipe2(2), posix_spawn(3).
 */
int program_start(struct program **program, struct attempt *a);

/*
 * What has come to be known of it by now; neither waits, nor closes anything that it has passed. Words and complaints, as much as
 * is there but for a bound. After a breach the caller lets it go.
 */
void program_listen_words(struct program *p);
void program_listen_complaints(struct program *p);

/* Where there may be more to hear; -1: nowhere. */
static inline int program_words(const struct program *p)
{
	return p->breached || p->words_over ? -1 : p->words;
}

static inline int program_complaints(const struct program *p)
{
	return p->breached || p->errors_over ? -1 : p->errors;
}

/* It reads or writes its pipe, or has handed over what is there instead. */
static inline bool program_moves(const struct program *p)
{
	return p->ready || p->handed;
}

/* Whether it has ended. Only then program_result() has an answer. */
bool program_look(struct program *p);

/* 0: it has ended well; or a negative errno with the reason, its own if it has given one, in @why. */
int program_result(const struct program *p, char why[URI_WHY_MAX]);

/* It has ended, and so it was. */
bool program_ended_well(const struct program *p);

/*
 * Nothing more comes for a sink that has handed something over: it is told so. Returns false where it does not hear that any more.
 * Not asked to wait.
 */
bool program_tell_end(struct program *p);

/* What it has left behind in its process group goes. Only after it has ended, or is to. */
void program_kill_group(const struct program *p);

/*
 * One is about to be started, which programs_end() waits for. Returns false where that has begun: none is. Owes program_enter(): it
 * runs, and programs_end() knows of it until it is buried; or program_give_up(): it does not.
 */
bool program_announce(void);
void program_enter(struct program *p);
void program_give_up(void);

/* Frees it, of which nothing runs any more, or nothing has run. */
void program_forget(struct program *p);

/* The program that @o is, or NULL. */
struct program *program_of(const struct opened *o);

/*
 * Lets go of it: a sink has a moment for what it has got, then its group is asked to end (SIGTERM), then made to. It blocks for up
 * to two moments. Owes program_bury().
 */
void program_stop(struct program *p);

/* Waits for its end, for as long as who traces it likes, or what it has passed takes to be closed, and frees it. */
void program_bury(void *program);

/* Both: for threads of closings (struct opened_ops). */
void program_close(void *program);
