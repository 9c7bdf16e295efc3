/*
 * Closing what may wait: what others have passed to the daemon, and what a request under way still holds.
 *
 * The last close of a descriptor can take for ever: a file system that hangs is told of it (this one too, by the thread
 * that serves it), a socket may linger (SO_LINGER). So it has a thread of its own.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct loop;

/* The name of threads that do nothing but close. */
#define CLOSE_THREAD "spfsd-close"

/* Closes *fd, unless it is -1, on a thread of its own, and makes it -1. Never blocks. @uid: who has passed it. */
void deferred_close(int *fd, uid_t uid);

/*
 * The same once no request of @loop refers to it any more (loop_release()), cancelled ones included; on @loop's thread.
 */
void deferred_close_after(int *fd, uid_t uid, struct loop *loop);

/* The same for what is closed by @finish(@state). */
void deferred_close_by(void (*finish)(void *state), void *state, uid_t uid);

/*
 * Tries again to close some of what has found no thread, as each closing that finds one does. Any thread; never blocks. Returns
 * whether there may be more.
 */
bool deferred_close_again(void);

/* Whether so many closings of @uid's have not come to an end that no more descriptors should be taken. */
bool deferred_close_crowded(uid_t uid);

/* How many closings of all users have not come to an end. */
unsigned deferred_close_all(void);

/* A closing whose end somebody waits for. */
struct deferred_close;

/*
 * @uid: whose it is. NULL: out of memory. All of it on @loop's thread; it is closed() or deferred_close_forget() that
 * ends it.
 */
struct deferred_close *deferred_close_create(struct loop *loop, uid_t uid, void (*closed)(void *data), void *data);

/*
 * Begins, once: when no request of @loop refers to @fd any more, @finish(@state) runs on a thread, or close(2) where it
 * is NULL; then closed(), never within this call. Where no thread can be had closed() comes at once, and that is logged:
 * @fd is closed when there are threads again, and @finish never runs.
 */
void deferred_close_begin(struct deferred_close *c, int fd, void (*finish)(void *state), void *state);

/* Nobody waits any more: closed() is not called; what has begun goes on by itself. NULL-safe. */
void deferred_close_forget(struct deferred_close *c);
