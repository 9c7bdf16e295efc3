#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shows what comes from the daemon until a zero byte says that the mount answers. Returns false where none comes. */
static bool background_follow(int from)
{
	char text[4096];
	ssize_t n;

	while ((n = read(from, text, sizeof(text))) > 0 || (n < 0 && errno == EINTR)) {
		size_t len = strnlen(text, n > 0 ? (size_t)n : 0);

		fwrite(text, 1, len, stderr);
		if (n > 0 && len < (size_t)n)
			return true;
	}
	return false;
}

int background_enter(void)
{
	int ends[2], status, null;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(ends[1]);
		if (background_follow(ends[0]))
			_exit(0);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
	}
	close(ends[0]);
	setsid();
	signal(SIGPIPE, SIG_IGN); /* the parent may be gone */
	null = open("/dev/null", O_RDWR);
	if (null < 0 || chdir("/") < 0 || fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK) < 0)
		return -errno;
	dup2(null, 0);
	dup2(null, 1);
	close(null);
	return ends[1];
}
