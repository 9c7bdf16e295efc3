/*
 * The pipes under a queue: the kernel's (kernel-pipes.c), or pretended ones (pretended-pipes.c), which are a hundred
 * times as fast. Both are behind the table of system calls (sys.h).
 *
 * All bytes are of one long text, pipes_text(), and so are told apart by where they stand in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the text. */
#define PIPES_TEXT (1 << 20)

const char *pipes_text(void);

/* Puts them into the table. Once, before anything else. */
void pipes_install(void);

/* Where everything can be thrown away. */
int pipes_sink(void);

/* Takes @len bytes out of the pipe @fd; whether they are those of the text from @at on. */
bool pipes_take(int fd, size_t at, size_t len);

/* Pipes with an end that is open. */
unsigned pipes_open(void);
