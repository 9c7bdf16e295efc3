/*
 * The daemon gives a thread that looks again within a second what it has given before, so that size and text agree for
 * who looks twice. A rate is taken of two moments, perhaps closer than that: each reading has a thread of its own.
 */
#include "stats-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

struct stats_file {
	const char *root;
	int err;
	char *text;
	size_t len;
	dev_t dev;
};

static int stats_file_load(struct stats_file *f, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	f->dev = st.st_dev;
	f->text = malloc((size_t)st.st_size + 1);
	if (!f->text)
		return -ENOMEM;
	while (f->len < (size_t)st.st_size) {
		ssize_t n = read(fd, f->text + f->len, (size_t)st.st_size - f->len);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		f->len += (size_t)n;
	}
	return 0;
}

static void *stats_file_run(void *data)
{
	struct stats_file *f = data;
	char path[PATH_MAX + sizeof("/.spfs/stats.json")];
	int fd;

	snprintf(path, sizeof(path), "%s/.spfs/stats.json", f->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		f->err = errno == ENOENT || errno == ENOTDIR ? -EXDEV : -errno;
		return NULL;
	}
	f->err = stats_file_load(f, fd);
	close(fd);
	return NULL;
}

int stats_file_read(const char *root, json_t **stats, dev_t *dev)
{
	struct stats_file f = { .root = root };
	pthread_t thread;
	int err = pthread_create(&thread, NULL, stats_file_run, &f);

	*stats = NULL;
	if (err)
		return -err;
	pthread_join(thread, NULL);
	if (f.err == 0) {
		*stats = json_loadb(f.text, f.len, 0, NULL);
		f.err = *stats ? 0 : -EBADMSG;
	}
	if (dev)
		*dev = f.dev;
	free(f.text);
	return f.err;
}

void stats_file_wait(double seconds)
{
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * NSEC_PER_SEC);
	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}
