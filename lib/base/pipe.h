/* An anonymous pipe: the ring of page references that only the daemon sees. */
#pragma once

#include <stddef.h>

struct pipe {
	int rd;
	int wr;
};

#define PIPE_NONE ((struct pipe){ -1, -1 })

/* The capacity asked for every ring of a teed channel, in bytes. */
#define PIPE_SIZE (1 << 20)

/* The capacity of a pipe or FIFO that nobody has resized, in bytes (pipe(7)). */
int pipe_size_preset(void);

/*
 * Makes a pipe with both ends O_NONBLOCK | O_CLOEXEC and the largest capacity up to @size bytes
 * that the kernel grants (fs.pipe-max-size and the user's soft limit may say less: pipe(7)), which is
 * logged where it is far less.
 * Returns the capacity in bytes, or a negative errno of pipe2(2) (EMFILE, ENFILE).
 */
int pipe_open(struct pipe *p, int size);

/* For the two that name the user's limit: what it is (fs.pipe-user-pages-soft). Once, before there are threads. */
void pipe_learn_limit(void);

/*
 * What @err, a negative errno, means where pipes are opened: strerror(3) does not know of their limits. Those of the user
 * (pipe-user-pages-soft of proc_sys_fs(5)) do not refuse a pipe but make it two pages long, so that it is descriptors which
 * run out. Static.
 */
const char *pipe_error(int err);

/*
 * Throws away the first @len bytes of the pipe behind @fd; @sink is /dev/null. Returns how many: fewer where there are
 * no more, for somebody else may read it.
 */
size_t pipe_drop(int fd, int sink, size_t len);

/* Page references that @bytes take at least. */
static inline size_t pipe_pages(size_t bytes)
{
	return (bytes + 4095) / 4096;
}

/* Closes both ends; what the pipe holds is gone. NULL-safe on a PIPE_NONE. */
void pipe_close(struct pipe *p);

/* Gives the pipe behind @fd the largest capacity up to @size; returns it, or a negative errno. */
int pipe_grow(int fd, int size);

/* The same, and less where it has more than @size now. -EBUSY: it holds more. */
int pipe_fit(int fd, int size);

/* The capacity in bytes of the pipe behind @fd, or a negative errno (-EBADF: it is none). */
int pipe_size(int fd);
