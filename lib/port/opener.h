/*
 * An opening: a port's URI opened with the rights of who asked, on a thread of its own, because it may take
 * for ever: a FIFO without a peer, an address that never answers, a disk that hangs. It can be interrupted.
 *
 * A descriptor that somebody has passed is looked at likewise, for its file system may be asked, and not answer.
 */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "loop.h"
#include "opened.h"
#include "rights.h"
#include "uri.h"

struct attempt;

/* What a sink has open already, where what is opened is to follow it. Zero: nothing. */
struct succession {
	bool follows;               /* it does: nothing is emptied, and a file of a series (series.h) is a new one */
	struct series_file present; /* the file that is open, which is not opened again */
	bool removes;               /* then one of its series is to go: */
	struct series_file oldest;  /* this */
};

struct opening {
	/* Set before opening_start(); not owned, and read there only. */
	const struct uri *uri;
	const struct rights *rights;
	int process; /* who asks (rights.h), to whom names must mean the same; -1: the daemon does, for the user */

	/* Set before opening_start(). */
	int fd;   /* that was passed, instead of a URI: taken by a successful opening_start(). -1: there is none */
	bool own; /* the daemon itself asks: as many as it likes */
	enum port_dir dir;
	struct succession after;
	dev_t mount; /* the daemon's own mount: opening a channel of it through the visible mount would pin it */
	struct loop *loop;
	/*
	 * On @loop's thread, exactly once after a successful opening_start(), and before @loop ends: so who stops @loop
	 * cancels first. May free the opening.
	 */
	void (*done)(struct opening *o);

	/* The result: */
	int err;               /* 0 or a negative errno */
	char why[URI_WHY_MAX]; /* the reason, for the log and for who asked; never empty where @err is set */
	struct opened opened;  /* O_CLOEXEC, O_NONBLOCK unless a regular file or disk; the taker's */

	/* Private: */
	struct loop_task task;
	pthread_t thread;
	struct attempt *attempt;
};

/* Threads of one user at the same time, those that were cancelled and have not ended included. */
#define OPENING_USER_MAX 64

/*
 * Begins; on @loop's thread. Returns 0, or a negative errno (EAGAIN: no more threads, EUSERS: this user has enough)
 * without done(). What is opened, its kind says (kinds.h):
 *
 *   file source   O_RDONLY; not a folder
 *   file sink     O_WRONLY | O_CREAT with its mode, whatever the umask; emptied unless it is to be appended to, or follows
 *                 another: then its end is opened.position
 *   tcp, unix     connected; every address of the name is tried
 *   *-listen      bound and listening; SO_REUSEADDR; a dead socket's file is replaced where the caller may
 *   v4l2          the camera is capturing; see camera.h
 *   fd            what was passed; closed where it is refused, and that before done()
 *
 * Errors are those of the calls, and EALREADY (what follows is the file that is open), EISDIR, EXDEV (a channel of @mount, or @process sees other names than the daemon, or
 * may see less), EHOSTUNREACH (a name that does not
 * resolve), EINVAL (an unknown service, or of a kind that cannot be opened).
 */
int opening_start(struct opening *o);

/*
 * The opening is not wanted any more; on @loop's thread. done() follows at @loop's next turn, with -EINTR unless
 * it was ready already; no-op after done(). The thread does not hold it up: where it cannot be interrupted (a
 * hung disk, a resolver) it lingers, and cleans up after itself.
 */
void opening_cancel(struct opening *o);
