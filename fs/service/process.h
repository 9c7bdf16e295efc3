/* What /proc tells of a process. */
#pragma once

#include <sys/types.h>

#define PROCESS_NOBODY ((uid_t)-1)

/* Its effective user, also where its files of /proc are root's (PR_SET_DUMPABLE); PROCESS_NOBODY: it has gone. */
uid_t process_user(pid_t pid);
