/* The file that is sent: made once for each size, by the writer of the other cases, so its bytes are known. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

void input_name(char name[PATH_LEN], const char *dir)
{
	snprintf(name, PATH_LEN, "%s/input", dir);
}

static int make(const struct plan *plan, const char *name, size_t block, uint64_t bytes)
{
	char program[PATH_LEN], size[32], total[32];
	char *argv[] = { program, "-", size, total, NULL };
	struct spawn how = { .out = name };
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid;
	int err;

	if (fd < 0)
		return -errno;
	snprintf(program, sizeof(program), "%s/bench-write", plan->programs);
	snprintf(size, sizeof(size), "%zu", block);
	snprintf(total, sizeof(total), "%ju", (uintmax_t)bytes);
	pid = spawn(&how, argv);
	err = pid < 0 ? pid : process_wait(&pid, 120, NULL);
	process_kill(&pid);
	if (err == 0 && fsync(fd) < 0) /* only a clean page leaves the cache */
		err = -errno;
	close(fd);
	return err;
}

int input_make(const struct plan *plan, size_t block, uint64_t bytes)
{
	static size_t made;
	char name[PATH_LEN];
	struct stat st;
	int err;

	input_name(name, plan->dir);
	if (made == block && stat(name, &st) == 0 && (uint64_t)st.st_size == bytes)
		return 0;
	err = make(plan, name, block, bytes);
	if (err < 0)
		fprintf(stderr, "bench: %s: %s\n", name, strerror(-err));
	made = err < 0 ? 0 : block;
	return err;
}

void input_cool(const char *dir)
{
	char name[PATH_LEN];
	int fd;

	input_name(name, dir);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

void input_remove(const char *dir)
{
	char name[PATH_LEN];

	input_name(name, dir);
	unlink(name);
}
