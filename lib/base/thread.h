/* Threads of the daemon's own: no signal that is sent to the process comes to one. */
#pragma once

#include <pthread.h>
#include <stddef.h>

/*
 * Begins @run(@arg) on a thread with @stack bytes of stack, 0: as many as is usual. *@thread is to be joined; with NULL
 * nobody joins it. Never blocks. Returns 0 or a negative errno of pthread_create(3).
 */
int thread_start(pthread_t *thread, size_t stack, void *(*run)(void *arg), void *arg);

/* What `ps -L` and `top -H` call the thread that asks, of at most 15 bytes: each kind has a name (spfsd.8 lists them). */
void thread_name(const char *name);
