#include "process.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

/* Name, state and what comes before it; the lists of groups and CPUs are behind it. */
#define STATUS_HEAD 1024

/* Returns whether there is some. */
static bool process_read(pid_t pid, const char *file, char *text, size_t size)
{
	char name[32];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/%s", pid, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

uid_t process_user(pid_t pid)
{
	char text[STATUS_HEAD];
	const char *line = process_read(pid, "status", text, sizeof(text)) ? strstr(text, "\nUid:") : NULL;
	uid_t user;

	return line && sscanf(line, "\nUid: %*u %u", &user) == 1 ? user : PROCESS_NOBODY;
}

void process_name(pid_t pid, char *name, size_t size)
{
	if (!process_read(pid, "comm", name, size))
		strcpy(name, "?");
	name[strcspn(name, "\n")] = '\0';
}
