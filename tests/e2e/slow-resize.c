/*
 * Preloaded: the first who gives a pipe a size after the file SLOW_RESIZE was made, which then goes, is overtaken by the
 * next one, if there is one within 300 ms.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOKS 30
#define LOOK_USEC 10000

static atomic_uint resized;

int fcntl(int fd, int cmd, ...)
{
	int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl");
	const char *slow = getenv("SLOW_RESIZE");
	va_list args;
	void *arg;
	int res;

	va_start(args, cmd);
	arg = va_arg(args, void *);
	va_end(args);
	if (cmd != F_SETPIPE_SZ)
		return real(fd, cmd, arg);
	if (slow && unlink(slow) == 0) {
		unsigned before = atomic_load(&resized);

		for (int i = 0; i < LOOKS && atomic_load(&resized) == before; i++)
			usleep(LOOK_USEC);
	}
	res = real(fd, cmd, arg);
	atomic_fetch_add(&resized, 1);
	return res;
}
