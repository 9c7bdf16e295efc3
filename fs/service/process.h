/* What /proc tells of a process, to any thread; nothing is waited for. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define PROCESS_NOBODY ((uid_t)-1)

/* Its effective user, also where its files of /proc are root's (PR_SET_DUMPABLE); PROCESS_NOBODY: it has gone. */
uid_t process_user(pid_t pid);

/* What it calls itself (comm), as it is; "?": it has gone. @size: at least 2. */
void process_name(pid_t pid, char *name, size_t size);
