/*
 * A bounce buffer: what a source has copied and not handed on yet (spfs.stable), or a sink and not written (a file that
 * is open for appending).
 *
 * Zero-valid. The memory is mmap(2)ed, so that loop_io_read() and loop_io_write() can take it over.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct bounce {
	char *buf;
	size_t size;
	size_t at, len; /* what is to be handed on */
};

/* Makes sure that it has memory: @size bytes, the same each time. Returns 0 or -ENOMEM. */
int bounce_ready(struct bounce *b, size_t size);

/* Writes some of it into the pipe @fd (O_NONBLOCK). Returns the bytes, or a negative errno of write(2). */
ssize_t bounce_give(struct bounce *b, int fd);

/* Frees it, with what is in it. */
void bounce_finish(struct bounce *b);
