/* Children, and what a process has used. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

volatile int interrupted;

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
}

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags);

	if (fd < 0 || dup2(fd, to) < 0) {
		perror(path);
		_exit(127);
	}
	if (fd != to)
		close(fd);
}

pid_t spawn(const struct spawn *how, char *const argv[])
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	/* Nothing may outlive the driver. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (how->out)
		redirect(how->out, O_WRONLY, STDOUT_FILENO);
	if (how->in)
		redirect(how->in, O_RDONLY, STDIN_FILENO);
	for (int i = 0; i < how->keeps; i++)
		fcntl(how->keep[i], F_SETFD, 0);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

void process_kill(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static double seconds_of(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

int process_wait(pid_t *pid, double seconds, struct usage *usage)
{
	double end = now() + seconds;
	struct rusage ru;
	int status;
	pid_t n;

	if (*pid <= 0)
		return 0;
	while ((n = wait4(*pid, &status, WNOHANG, &ru)) == 0) {
		if (interrupted)
			return -EINTR;
		if (now() > end)
			return -ETIMEDOUT;
		nap();
	}
	*pid = 0;
	if (n < 0)
		return -errno;
	if (usage) {
		usage->cpu = seconds_of(ru.ru_utime) + seconds_of(ru.ru_stime);
		usage->wakes = (double)ru.ru_nvcsw;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static double thread_wakes(const char *task, const char *tid)
{
	unsigned long long switches = 0;
	char path[PATH_LEN], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/status", task, tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &switches) == 1)
			break;
	if (f)
		fclose(f);
	return (double)switches;
}

/*
 * The clock counts nanoseconds, also those of threads that have ended, as io_uring's do when they have been idle for
 * some seconds. Their wake-ups are lost then: one run of many may show too few.
 */
void process_usage(pid_t pid, struct usage *usage)
{
	char task[64];
	struct dirent *entry;
	struct timespec ts;
	clockid_t clock;
	DIR *dir;

	*usage = (struct usage){ .cpu = -1 };
	if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &ts) == 0)
		usage->cpu = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	snprintf(task, sizeof(task), "/proc/%d/task", pid);
	dir = opendir(task);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			usage->wakes += thread_wakes(task, entry->d_name);
	if (dir)
		closedir(dir);
}

static bool runs(const char *command)
{
	return system(command) == 0;
}

/*
 * perf counts without slowing the calls down; strace stops the daemon at each of them, which changes
 * how much it finds waiting, so it is only the second choice.
 */
int counter_start(struct counter *counter, const char *dir, pid_t daemon)
{
	struct spawn how = { .out = "/dev/null" };
	char pid[16];
	char *perf[] = { "perf", "stat", "-x,", "-o", counter->file, "-e", "raw_syscalls:sys_enter", "-p", pid, NULL };
	char *strace[] = { "strace", "-qq", "-c", "-f", "-o", counter->file, "-p", pid, NULL };

	snprintf(pid, sizeof(pid), "%d", daemon);
	snprintf(counter->file, sizeof(counter->file), "%s/calls", dir);
	counter->strace = !runs("perf stat -e raw_syscalls:sys_enter true >/dev/null 2>&1");
	if (counter->strace && !runs("strace -V >/dev/null 2>&1"))
		return -ENOENT;
	counter->pid = spawn(&how, counter->strace ? strace : perf);
	if (counter->pid < 0)
		return counter->pid;
	for (int i = 0; i < 600; i++) /* until it is attached; it does not say when */
		nap();
	return 0;
}

double counter_stop(struct counter *counter)
{
	double calls = -1, value;
	char line[256];
	FILE *f;

	kill(counter->pid, SIGINT);
	process_wait(&counter->pid, 5, NULL);
	process_kill(&counter->pid);
	f = fopen(counter->file, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!counter->strace && sscanf(line, "%lf,,raw_syscalls", &value) == 1)
			calls = value;
		if (counter->strace && strstr(line, "total") && sscanf(line, "%*f %*f %*f %lf", &value) == 1)
			calls = value;
	}
	if (f)
		fclose(f);
	unlink(counter->file);
	return calls;
}
