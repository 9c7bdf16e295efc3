#include "abandon.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "deferred-close.h"
#include "log.h"
#include "programs.h"
#include "thread.h"

/* A thread that has not come on for so long is given up, and another goes on behind it. */
#define STEP_MSEC 20

#define DESCRIPTORS_MAX 65536

/* Shared by threads that may outlive whoever began it: never freed. */
struct abandoned {
	size_t count;
	atomic_size_t next;
	atomic_uint done; /* threads that came to the end */
	int fds[DESCRIPTORS_MAX];
};

static void *abandon_close(void *arg)
{
	struct abandoned *a = arg;
	size_t i;

	thread_name(CLOSE_THREAD);
	while ((i = atomic_fetch_add(&a->next, 1)) < a->count) {
		/* Past the sanitizers: who stands has them in use, and does not come back. */
		syscall(SYS_close, a->fds[i]);
	}
	atomic_fetch_add(&a->done, 1);
	return NULL;
}

static void abandon_list(struct abandoned *a)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && a->count < DESCRIPTORS_MAX && (entry = readdir(dir))) {
		int fd = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : -1;

		if (fd > STDERR_FILENO && fd != dirfd(dir))
			a->fds[a->count++] = fd;
	}
	if (dir)
		closedir(dir);
}

void abandon_descriptors(void)
{
	struct abandoned *a = calloc(1, sizeof(*a));
	uint64_t end = clock_nsec() + ABANDON_NSEC;
	size_t before = 0;

	if (!a)
		return;
	abandon_list(a);
	while (!atomic_load(&a->done) && clock_nsec() < end) {
		size_t at = atomic_load(&a->next);

		if (at == before)
			thread_start(NULL, 0, abandon_close, a);
		before = at;
		poll(NULL, 0, STEP_MSEC);
	}
}

/* The daemon's own threads have such names; the kernel's (io_uring) and a sanitizer's have others. */
#define THREADS "spfsd-"

/* Not the log's, nor those that end with the process, whatever they wait for. */
static bool abandon_holds_up(const char *name)
{
	static const char *const others[] = { LOG_THREAD, PROGRAMS_THREAD };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strncmp(name, others[i], strlen(others[i])))
			return false;
	return !strncmp(name, THREADS, strlen(THREADS));
}

static unsigned abandon_count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned count = 0;

	while (dir && (entry = readdir(dir))) {
		char path[64], name[16] = "";
		FILE *f;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", entry->d_name);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f))
			count += abandon_holds_up(name);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return count;
}

void abandon_tell_threads(void)
{
	uint64_t end = clock_nsec() + ABANDON_OTHERS_NSEC;
	unsigned left;

	while ((left = abandon_count_threads()) && clock_nsec() < end)
		poll(NULL, 0, 5);
	if (left)
		log_err("%u threads wait for what users have to end: process %d is there, and dead, until then", left,
			getpid());
}
