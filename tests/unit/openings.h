/*
 * What the tests of the opener stand on: openings into the fixture's folder and by URI, as one user or another.
 */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "fixture.h"
#include "opener.h"

#define NOBODY 65534

extern struct fixture opening_fixture;

/* For TestSuite(): the end of a test waits for threads that were given up, and fails it where one stays. */
void openings_start(void);
void openings_stop(void);

/* Skips the test unless it is run as root. */
void need_root(void);

struct call {
	struct opening o;
	struct uri uri;
	struct rights rights;
	int started;
	atomic_int dones;
	sem_t done;
};

/* As who runs the test, until @c says otherwise. */
void prepare(struct call *c, enum port_dir dir, const char *uri);

/* KIND:FOLDER/@name */
void prepare_here(struct call *c, enum port_dir dir, const char *kind, const char *name);

/* @fd, as somebody has passed it; it is the opening's once that has begun. */
void prepare_passed(struct call *c, enum port_dir dir, int fd);

void begin(struct call *c);

/* The same where it may be refused. */
int try_to_begin(struct call *c);

/* Waits for done(), which must come once, with a reason for each error. Returns the opening's err. */
int wait_done(struct call *c);
int cancelled(struct call *c);

/* What open_as() and open_uri() opened last, for its reason. */
extern struct call last;

/* Each returns the descriptor or a negative errno. */
int open_as(uid_t uid, enum port_dir dir, const char *kind, const char *name);
int open_here(enum port_dir dir, const char *kind, const char *name);
int open_uri(enum port_dir dir, const char *uri);

/* The last reason has @part in it. */
void expect_why(const char *part);

void expect_flags(int fd, int mode, bool nonblock);

/* Of the folder's @name, until the next call. */
const char *path_of(const char *name);

/* A file of 10 bytes. */
void make(const char *name, mode_t mode);

/* -1 where there is none. */
off_t size_of(const char *name);

dev_t device_of(const char *name);

/* Until an opening waits in the kernel, where nothing but a signal gets it out. */
void wait_asleep(void);

/* Until those that were given up are through. */
void wait_threads(void);

int first_unprivileged_port(void);
