/*
 * The system calls of the data plane, as one table, so that a test can make the Nth of them
 * fail, come short or say EAGAIN. Each entry returns what the call returns, or a negative errno.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct sys {
	/* Pipe to pipe or pipe to file; never waits for a pipe (splice(2), SPLICE_F_NONBLOCK). */
	ssize_t (*splice)(int in, int out, size_t len);
	/* The same to a socket, where more will follow at once (SPLICE_F_MORE). */
	ssize_t (*splice_more)(int in, int out, size_t len);
	/* Duplicates references from the head of @in (tee(2), SPLICE_F_NONBLOCK). */
	ssize_t (*tee)(int in, int out, size_t len);
	ssize_t (*read)(int fd, void *buf, size_t len);
	ssize_t (*write)(int fd, const void *buf, size_t len);
	/* Bytes waiting in a pipe (FIONREAD of pipe(7)). */
	int (*waiting)(int fd);
	/* openat(2); O_CLOEXEC is added. */
	int (*open)(int dir, const char *name, int flags);
	int (*pipe)(int fds[2], int flags);
	/* Asks for @bytes of pipe capacity (F_SETPIPE_SZ); returns what was granted. */
	int (*resize)(int fd, int bytes);
};

extern struct sys sys;
