/*
 * What the tests of lib/ stand on: a folder of FIFOs, an engine of one worker on it, calls that run on
 * that worker, and system calls that fail when they are told to.
 */
#pragma once

#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "engine.h"
#include "sys.h"

struct fixture {
	char path[64];
	int dir;
	int fds; /* how many the process had before */
	struct engine *engine;
	struct worker *worker;
	sem_t ended; /* posted for each port that ends */
};

/* Ends the test where anything fails. */
void fixture_start(struct fixture *f);

/* Fails the test where a descriptor is left. */
void fixture_stop(struct fixture *f);

/* Makes the FIFO of node @id. */
void fixture_fifo(struct fixture *f, uint64_t id);

/* Opens it as a user does, without blocking; the caller closes it. */
int fixture_open(struct fixture *f, uint64_t id, int flags);

/* Runs @call on the worker and waits for it. */
void on_worker(struct fixture *f, void (*call)(void *arg), void *arg);

/* A channel with its origin on node 1 and taps on 2, 3 ... */
struct channel *fixture_channel(struct fixture *f, unsigned taps);
int fixture_add_tap(struct fixture *f, struct channel *ch, uint64_t id);
void fixture_remove_tap(struct fixture *f, struct channel *ch, uint64_t id);
/* channel_set() on the worker. */
int fixture_set(struct fixture *f, struct channel *ch, uint64_t tap, enum setting_key key, uint64_t value);
uint64_t fixture_bytes_in(struct fixture *f, struct channel *ch);
void fixture_destroy(struct fixture *f, struct channel *ch);

/* poll(2) for @events within 20 s; fails the test otherwise. */
void wait_for(int fd, short events);

/* Reads until end of file or @max bytes; waits up to 20 s for each. Returns the bytes. */
size_t read_all(int fd, char *buf, size_t max);

/* A call that fails: the @nth (from 1) and the @count - 1 after it, with @err (negative), or come short. */
struct fault {
	unsigned nth;
	unsigned count;
	int err;
	unsigned seen;
};

extern struct fault fault_splice, fault_tee, fault_read, fault_write, fault_pipe, fault_open, fault_resize;

/* Puts the faults into the table of system calls. */
void faults_install(void);

/* What is refused again and again is tried again, but seldom: not 50 times a second. */
void expect_rest(const struct fault *f);

/* As an err: half of what was asked for. */
#define FAULT_SHORT 1
