/*
 * A FIFO node, as the daemon reaches it: by number, in one folder that only the daemon uses, so
 * that no open ever depends on a user's folder, its lock or its permissions.
 */
#pragma once

#include <stdint.h>

struct fifo {
	int dir;     /* the folder of numbers; not owned */
	uint64_t id; /* the node's number there */
};

#define FIFO_NAME_MAX 17

/* The name of node @id in the folder: 16 hexadecimal digits. */
void fifo_name(char name[FIFO_NAME_MAX], uint64_t id);

/*
 * Opens an end, O_NONBLOCK | O_CLOEXEC. May wait for the file system to answer a look-up, never
 * for a peer. @flags: O_RDONLY, O_WRONLY (-ENXIO where nobody reads) or O_PATH. Returns a
 * descriptor that the caller owns, or a negative errno; a new descriptor within FIFO_FD_RESERVE of
 * the limit is refused with -EMFILE where @reserve is not set, so that what already runs can go on.
 */
int fifo_open(const struct fifo *fifo, int flags, int reserve);

/*
 * Opens a write end although nobody may be reading: what is written stays in the pipe.
 * fifo(7): a non-blocking open for writing needs a reader, so there is one for a moment.
 */
int fifo_open_held(const struct fifo *fifo, int reserve);

/* Descriptors kept for streams that already run. */
#define FIFO_FD_RESERVE 64

/* -EMFILE where @fd is one of the last FIFO_FD_RESERVE below RLIMIT_NOFILE, else 0. */
int fifo_fd_check(int fd);

/*
 * The same for those who hold many descriptors already: a quarter of what RLIMIT_NOFILE allows is out of their reach as
 * well, so that there is room for others.
 */
int fifo_fd_check_many(int fd);
