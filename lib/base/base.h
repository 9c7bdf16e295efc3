/* Small things every file needs: ownership of descriptors and memory, container_of. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Closes *fd unless it is -1, and makes it -1. errno is kept. */
void fd_close(int *fd);

/* Takes the descriptor out of *fd: the caller owns it, *fd is -1. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

#define _cleanup_fd_ __attribute__((cleanup(fd_close)))
#define _cleanup_free_ __attribute__((cleanup(free_ptr)))
