#include "aside.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "log.h"

/* For one system call, and what a sanitizer adds to it. */
#define STACK (128 * 1024)

static void *run(void *arg)
{
	close((int)(intptr_t)arg);
	return NULL;
}

void aside_close(int *fd)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (*fd < 0)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	err = pthread_create(&thread, &attr, run, (void *)(intptr_t)fd_take(fd));
	if (err)
		log_err("no thread to close a descriptor with, it stays open: %s", strerror(err));
	pthread_attr_destroy(&attr);
}
