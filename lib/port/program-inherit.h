/* What a program inherits of the thread that starts it. */
#pragma once

#include <spawn.h>

#include "attempt.h"

/*
 * Leaves the calling thread, an opening's that ends after its work, nothing that a program of @a's user is not to inherit; nothing
 * else of the daemon changes. Never blocks. Returns 0, or a negative errno, with the reason in a->why where the errno is not enough.
 */
int program_inherits(struct attempt *a);

/* How it is scheduled, as far as that differs from the thread: into @attributes, with its flags in @flags. Returns 0 or a negative errno. */
int program_scheduling(posix_spawnattr_t *attributes, short *flags);
