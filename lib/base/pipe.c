#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "log.h"
#include "sys.h"

#define PRESET_PAGES 16

int pipe_size_preset(void)
{
	return PRESET_PAGES * (int)sysconf(_SC_PAGESIZE);
}

int pipe_size(int fd)
{
	int size = fcntl(fd, F_GETPIPE_SZ);

	return size < 0 ? -errno : size;
}

int pipe_grow(int fd, int size)
{
	int page = (int)sysconf(_SC_PAGESIZE);
	int now = pipe_size(fd);

	for (; size > now && size >= page; size /= 2) {
		int granted = sys.resize(fd, size);

		if (granted > 0)
			return granted;
	}
	return now;
}

int pipe_fit(int fd, int size)
{
	return size < pipe_size(fd) ? sys.resize(fd, size) : pipe_grow(fd, size);
}

#define PIPE_SOFT_LIMIT "/proc/sys/fs/pipe-user-pages-soft"

/* Pages; 0: not known. Written by pipe_learn_limit() alone, when there are no other threads. */
static unsigned long pipe_soft_limit;
static char pipe_short_error[160] = "Too many open files, for fs.pipe-user-pages-soft is used up and pipes hold little";

void pipe_learn_limit(void)
{
	FILE *file = fopen(PIPE_SOFT_LIMIT, "re");

	if (!file)
		return;
	if (fscanf(file, "%lu", &pipe_soft_limit) == 1)
		snprintf(
			pipe_short_error, sizeof(pipe_short_error),
			"Too many open files, for fs.pipe-user-pages-soft is used up (%lu pages) and pipes hold little",
			pipe_soft_limit);
	fclose(file);
}

/* The last pipe that was opened is a small part of what it should be. */
static atomic_bool pipe_is_short;

static void pipe_note(int granted, int size)
{
	bool is_short = granted > 0 && granted < size / 8;

	if (!atomic_exchange(&pipe_is_short, is_short) && is_short)
		log_user_warn(
			LOG_SOMEBODY,
			"a pipe holds %d bytes instead of %d: user %u has used up fs.pipe-user-pages-soft (%lu pages at the "
			"start); what taps and replays keep takes so many more descriptors",
			granted, size, geteuid(), pipe_soft_limit);
}

const char *pipe_error(int err)
{
	if (err == -EMFILE && atomic_load(&pipe_is_short))
		return pipe_short_error;
	if (err == -ENFILE)
		return "Too many open files in system, or fs.pipe-user-pages-hard is used up";
	return strerror(-err);
}

int pipe_open(struct pipe *p, int size)
{
	int fds[2];
	int err = sys.pipe(fds, O_NONBLOCK);

	if (err < 0)
		return err;
	p->rd = fds[0];
	p->wr = fds[1];
	err = pipe_grow(p->wr, size); /* (of a pipe it cannot fail) */
	if (size)
		pipe_note(err, size);
	return err;
}

size_t pipe_drop(int fd, int sink, size_t len)
{
	size_t dropped = 0;
	ssize_t n = 1;

	while (dropped < len && n > 0) {
		n = sys.splice(fd, sink, len - dropped);
		dropped += n > 0 ? (size_t)n : 0;
	}
	return dropped;
}

void pipe_close(struct pipe *p)
{
	fd_close(&p->rd);
	fd_close(&p->wr);
}
