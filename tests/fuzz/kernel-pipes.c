#include "pipes.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "sys.h"

#define FDS 1024

static int sink;
static int (*kernel_pipe)(int fds[2], int flags);
static bool ends[FDS]; /* the descriptors that are an end of a pipe */

static int counted_pipe(int fds[2], int flags)
{
	int err = kernel_pipe(fds, flags);

	if (err < 0)
		return err;
	fuzz_check(fds[0] < FDS && fds[1] < FDS, "descriptors %d and %d", fds[0], fds[1]);
	ends[fds[0]] = ends[fds[1]] = true;
	return err;
}

/* What closes it is linked with --wrap=close. */
int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	if (fd >= 0 && fd < FDS)
		ends[fd] = false;
	return __real_close(fd);
}

/* The daemon's threads have no signals; the one by which libFuzzer looks at the time is not to cut a call short either. */
static void pipes_restart_calls(void)
{
	struct sigaction alarm;

	sigaction(SIGALRM, NULL, &alarm);
	alarm.sa_flags |= SA_RESTART;
	sigaction(SIGALRM, &alarm, NULL);
}

void pipes_install(void)
{
	pipes_restart_calls();
	sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	fuzz_check(sink >= 0, "/dev/null cannot be opened");
	kernel_pipe = sys.pipe;
	sys.pipe = counted_pipe;
}

int pipes_sink(void)
{
	return sink;
}

bool pipes_take(int fd, size_t at, size_t len)
{
	static char got[PIPES_TEXT];

	return sys.read(fd, got, len) == (ssize_t)len && !memcmp(got, pipes_text() + at, len);
}

unsigned pipes_open(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < FDS; fd++)
		count += ends[fd];
	return (count + 1) / 2;
}
