#include "process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

/* Name, state and what comes before it; the lists of groups and CPUs are behind it. */
#define STATUS_HEAD 1024

uid_t process_user(pid_t pid)
{
	char name[32], text[STATUS_HEAD];
	_cleanup_fd_ int fd = -1;
	uid_t user;
	const char *line;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	line = strstr(text, "\nUid:");
	return line && sscanf(line, "\nUid: %*u %u", &user) == 1 ? user : PROCESS_NOBODY;
}
