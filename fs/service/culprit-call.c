#include "culprit-call.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"

/* Which arguments are descriptors: of many other calls the first is a small number, too. */
static const struct {
	long number;
	const char *name;
	int count; /* of descriptors */
	int at[CULPRIT_DESCRIPTORS];
} calls[] = {
	{ SYS_openat, "open()", 0, { 0 } },           { SYS_read, "read()", 1, { 0 } },
	{ SYS_write, "write()", 1, { 0 } },           { SYS_readv, "readv()", 1, { 0 } },
	{ SYS_writev, "writev()", 1, { 0 } },         { SYS_preadv2, "preadv2()", 1, { 0 } },
	{ SYS_pwritev2, "pwritev2()", 1, { 0 } },     { SYS_close, "close()", 1, { 0 } },
	{ SYS_splice, "splice()", 2, { 0, 2 } },      { SYS_tee, "tee()", 2, { 0, 1 } },
	{ SYS_vmsplice, "vmsplice()", 1, { 0 } },     { SYS_sendfile, "sendfile()", 2, { 0, 1 } },
	{ SYS_fcntl, "fcntl()", 1, { 0 } },           { SYS_ioctl, "ioctl()", 1, { 0 } },
	{ SYS_sendto, "send()", 1, { 0 } },           { SYS_recvfrom, "recv()", 1, { 0 } },
	{ SYS_sendmsg, "sendmsg()", 1, { 0 } },       { SYS_recvmsg, "recvmsg()", 1, { 0 } },
	{ SYS_shutdown, "shutdown()", 1, { 0 } },     { SYS_setsockopt, "setsockopt()", 1, { 0 } },
	{ SYS_getsockopt, "getsockopt()", 1, { 0 } },
};

const char *culprit_call(long number, char buf[32])
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return calls[i].name;
	snprintf(buf, 32, "system call %ld", number);
	return buf;
}

void culprit_descriptors(const struct culprit_wait *w, int fds[CULPRIT_DESCRIPTORS])
{
	for (int k = 0; k < CULPRIT_DESCRIPTORS; k++)
		fds[k] = -1;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (int k = 0; calls[i].number == w->call && k < calls[i].count; k++)
			fds[k] = (int)w->args[calls[i].at[k]];
}

/* The kernel's threads work for a ring (io_uring), whose other requests are done by who asks for them, or waits. */
bool culprit_is_for_any(const struct culprit_wait *w)
{
	return !w->place || w->call == SYS_io_uring_enter || w->call == SYS_io_submit;
}

/* Returns whether there is some. */
static bool culprit_read(char *line, size_t size, const char *file, pid_t process, pid_t thread)
{
	char name[64];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/%s", process, thread, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, size - 1);
	line[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

bool culprit_look(pid_t process, pid_t thread, struct culprit_wait *w)
{
	unsigned long *args = w->args;
	char line[256];

	*w = (struct culprit_wait){ 0 };
	if (!culprit_read(line, sizeof(line), "syscall", process, thread))
		return false;
	if (sscanf(line, "%ld 0x%lx 0x%lx 0x%lx %*s %*s %*s %*s 0x%lx", &w->call, &args[0], &args[1], &args[2],
		   &w->place) == 5)
		return true;
	return sscanf(line, "-1 %*s 0x%lx", &w->place) == 1;
}

static bool culprit_contains(const char *text, const char *const *what)
{
	for (; *what; what++)
		if (strstr(text, *what))
			return true;
	return false;
}

/* The locks of pipes are taken, and what is in them is waited for, in functions whose names say so, in whichever file. */
bool culprit_waits_elsewhere(pid_t process, pid_t thread)
{
	static const char *const pipes[] = { "pipe", "fifo", "splice", "_tee", "wait_for_space", NULL };
	/* Who is stopped has nothing locked, nor has a thread that has nothing to do. */
	static const char *const idle[] = { "io_cqring_",     "io_wq",       "io_sq_",      "vhost_",
					    "get_signal",     "do_signal_",  "do_freezer_", "__refrigerator",
					    "do_jobctl_trap", "ptrace_stop", NULL };
	char function[64];

	return culprit_read(function, sizeof(function), "wchan", process, thread) && strcmp(function, "0") != 0 &&
	       !culprit_contains(function, pipes) && !culprit_contains(function, idle);
}
