/* Opening what a URI's path names, for kinds of ports that have one. */
#pragma once

#include <sys/stat.h>

#include "attempt.h"

/*
 * Opens uri->path with @flags of open(2), and @mode where they have O_CREAT; O_CLOEXEC and O_NOCTTY are added. It may
 * block. Returns a descriptor that the caller owns, and what it is in @st; or a negative errno with the reason written:
 * those of openat2(2), or EXDEV (a channel of attempt->mount, or what is the daemon's and not the caller's).
 */
int open_path(struct attempt *a, int flags, mode_t mode, struct stat *st);
