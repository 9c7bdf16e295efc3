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

/*
 * Whether files of @fd's file system can be ports: those can not that the kernel makes up as they are read, and takes
 * orders by as they are written. It looks at who does so, at that moment, which is the daemon: so procfs, sysfs and their
 * like are refused, whoever has opened them. Returns 0, or a negative errno with the reason written. It may block.
 */
int open_check_file_system(struct attempt *a, int fd);

/*
 * Whether @fd, which somebody has opened and passed, can be attempt->dir's: open, for that, and neither of this mount nor of such a
 * file system. Returns as that.
 */
int open_check_passed(struct attempt *a, int fd);
