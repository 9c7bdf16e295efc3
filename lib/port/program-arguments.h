/* What a program that is a port is started with. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "attempt.h"

#define PROGRAM_TEXTS_MAX 64

/* Where it finds the socket. Behind that there is nothing. */
#define PROGRAM_WORDS_FD 3

/* Up to a NULL; each is the list's. Zero-valid: none. */
struct program_texts {
	char *of[PROGRAM_TEXTS_MAX + 1];
	size_t count;
	int err; /* what has kept one out: -ENOMEM or -E2BIG */
};

void program_texts_finish(struct program_texts *list);

#define _cleanup_program_texts_ __attribute__((cleanup(program_texts_finish)))

/* The command that becomes who asks for @a and runs @path. Returns 0, -ENOMEM, or -EINVAL or -E2BIG with the reason in @why. */
int program_arguments(struct program_texts *list, const struct attempt *a, const char *path, char why[URI_WHY_MAX]);

/* Its environment, which has nothing of the daemon's. It may ask who knows users, and wait for that. */
void program_environment(struct program_texts *list, uid_t uid);
