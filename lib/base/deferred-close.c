#include "deferred-close.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "log.h"

/* For one system call, and what a sanitizer adds to it. */
#define STACK (128 * 1024)

/* Closings under way of one user, who shares the count with others of the same remainder. */
#define USER_MAX 64
#define REMAINDERS 256

static atomic_uint under_way[REMAINDERS];

struct closing {
	int fd;
	uid_t uid;
};

static void *deferred_close_run(void *arg)
{
	struct closing *c = arg;

	close(c->fd);
	atomic_fetch_sub(&under_way[c->uid % REMAINDERS], 1);
	free(c);
	return NULL;
}

bool deferred_close_crowded(uid_t uid)
{
	return atomic_load(&under_way[uid % REMAINDERS]) >= USER_MAX;
}

void deferred_close(int *fd, uid_t uid)
{
	struct closing *c;
	pthread_attr_t attr;
	pthread_t thread;
	int err = ENOMEM;

	if (*fd < 0)
		return;
	c = malloc(sizeof(*c));
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	if (c) {
		*c = (struct closing){ .fd = *fd, .uid = uid };
		atomic_fetch_add(&under_way[uid % REMAINDERS], 1);
		err = pthread_create(&thread, &attr, deferred_close_run, c);
	}
	*fd = -1;
	if (err) {
		log_err("no thread to close a descriptor with, it stays open: %s", strerror(err));
		if (c)
			atomic_fetch_sub(&under_way[uid % REMAINDERS], 1);
		free(c);
	}
	pthread_attr_destroy(&attr);
}
