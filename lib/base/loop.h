/*
 * An event loop on one io_uring.
 *
 * A loop belongs to the thread that runs it: everything here is for that thread alone, except
 * loop_post(), loop_expect(), loop_arrive() and loop_stop(). A watch or timer is one-shot: it is armed, fires once, and is
 * armed again by who still wants it. Cancelling is always allowed, and the callback of a cancelled
 * io never runs, so the owner may be freed right after.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct lane;
struct loop;
struct loop_op;

/* Work for a loop's thread. The poster owns it; run() may free it. */
struct loop_task {
	struct loop_task *next;
	void (*run)(struct loop_task *task);
};

/* One thing waited for. Zero-valid but for loop_io_init(). */
struct loop_io {
	struct loop *loop;
	struct loop_op *op;
	struct lane *lane;          /* of requests that may wait for a device */
	unsigned short personality; /* whose rights those have; 0: the loop's thread's */
	/* @res: poll(2) revents, 0 for a timer, bytes of a splice or read, or a negative errno. */
	void (*ready)(struct loop_io *io, int res);
};

/* Returns 0, or a negative errno of io_uring_setup(2) or eventfd(2). The caller owes loop_destroy(). */
int loop_create(struct loop **loop);

/* Once nothing runs it any more. What is armed is let go of; no callback follows but of loop_release(). NULL-safe. */
void loop_destroy(struct loop *loop);

/* Runs until loop_stop(), once. The ring is bound to the calling thread. Returns 0 or a negative errno of io_uring. */
int loop_run(struct loop *loop);

/*
 * Runs the loop on a thread of its own, called @name (which outlives it), that blocks every signal; a failure there ends
 * the process. Returns 0 or a negative errno of pthread_create(3); the caller joins *thread.
 */
int loop_start(struct loop *loop, const char *name, pthread_t *thread);

/*
 * Any thread; never blocks. The loop ends once no task is left: those posted before still run, those that they post, and
 * those that are expected. What comes after that never runs, and no callback of an io does.
 */
void loop_stop(struct loop *loop);

/*
 * What the loop's thread is at, for any thread that knows the loop to be there. The turn is odd while it runs callbacks,
 * and even while it waits for something to do; one that stays the same and odd is one callback, or what it calls, that
 * does not come back. The number is the thread's, of gettid(2); 0 before it runs.
 */
unsigned long loop_turn(const struct loop *loop);
pid_t loop_thread(const struct loop *loop);

/* Whether its thread is about to end, and nothing more will run: joining it does not wait. */
bool loop_ended(const struct loop *loop);

/* On the loop's own thread: it ends after this callback, whatever is posted or expected; nothing of that ever runs. */
void loop_quit(struct loop *loop);

/*
 * Instead of loop_destroy(), where others may yet post: what was waited for is let go of, and what is posted never runs.
 * The memory stays for them.
 */
void loop_abandon(struct loop *loop);

/* Tasks that run before what else the loop waits for has its turn, but for a loop that is to stop. */
#define LOOP_TURN_TASKS 64

/* Any thread that knows the loop to be there; never blocks, never fails. Tasks of one poster run in order. */
void loop_post(struct loop *loop, struct loop_task *task);

/*
 * For a poster that may be late, such as a thread that was asked to do something and to post when it is done: each
 * loop_expect() is made good by one loop_arrive(), which posts the task that was expected. Between the two the loop does
 * not end, whoever stops it, so who expects sees to it that the task does come (by cancelling what it waits for). Any
 * thread; they never block and never fail. After loop_arrive() the loop may be gone.
 */
void loop_expect(struct loop *loop);
void loop_arrive(struct loop *loop, struct loop_task *task);

/* On the loop's own thread: what was expected does not come. */
void loop_unexpect(struct loop *loop);

void loop_io_init(struct loop_io *io, struct loop *loop, void (*ready)(struct loop_io *, int));

/*
 * What is armed from now on and may wait for a device, splices, reads, writes and syncs, goes by @lane (lane.h), which
 * stays the caller's, with the rights of @personality. It must be said before the first of those.
 */
static inline void loop_io_act_as(struct loop_io *io, struct lane *lane, int personality)
{
	io->lane = lane;
	io->personality = (unsigned short)personality;
}

/* Waits for poll(2) @events on @fd; POLLERR and POLLHUP are always reported. No-op while armed. */
void loop_io_poll(struct loop_io *io, int fd, uint32_t events);

/*
 * Accepts a connection of @fd, which listens. @res: its descriptor, O_NONBLOCK and O_CLOEXEC, or a negative errno of accept4(2).
 * Nothing waits for it, whatever flags the open file has, which others may change. No-op while armed. One that has come when
 * the io is cancelled is closed.
 */
void loop_io_accept(struct loop_io *io, int fd);

/* Fires after @nsec nanoseconds. No-op while armed. */
void loop_io_timer(struct loop_io *io, uint64_t nsec);

/* Fires at @seconds since 1970 by the clock of the day, whatever becomes of that meanwhile. No-op while armed. */
void loop_io_alarm(struct loop_io *io, uint64_t seconds);

/*
 * Moves up to @len bytes on a thread of the kernel's own, because it may wait for a disk: splice(2), with
 * offsets of -1 for what has none. @res: bytes or a negative errno; -EINTR: nothing was done, for the process was stopped
 * just then. No-op while armed.
 */
void loop_io_splice(struct loop_io *io, int in, int64_t in_off, int out, int64_t out_off, size_t len);

/*
 * Reads up to @len bytes into @map likewise, from @in_off on (-1: from where it stands). @map is mmap(2)ed, @size bytes
 * of it. It stays the caller's, unless the io is cancelled while armed: then the loop unmaps it, once the kernel has let
 * go of it.
 */
void loop_io_read(struct loop_io *io, int in, int64_t in_off, void *map, size_t size, size_t len);

/*
 * Writes @len bytes of @map, from its byte @at on, likewise; @out_off is nothing to a file that is open for appending.
 */
void loop_io_write(struct loop_io *io, int out, int64_t out_off, void *map, size_t size, size_t at, size_t len);

/*
 * statx(2) of the file that @fd is, its fields of @mask, likewise, into the struct statx at @map, which is mmap(2)ed
 * as that of loop_io_read() and is the caller's or the loop's as that is. @res: 0 or a negative errno.
 */
void loop_io_statx(struct loop_io *io, int fd, unsigned mask, void *map, size_t size);

/* fsync(2), likewise. */
void loop_io_fsync(struct loop_io *io, int fd);

/* shutdown(2) with SHUT_WR, likewise. */
void loop_io_shutdown(struct loop_io *io, int fd);

/*
 * Before @fd is released (loop_release()), of which requests have gone by @lane: it is released once the last of those has let
 * go of its file, too. That is after its completion.
 */
void loop_io_fence(struct loop *loop, struct lane *lane, int fd);

/* The callback will not run. The request may be under way still, and hold its files, but not the owner. */
void loop_io_cancel(struct loop_io *io);

/* A descriptor that is to be closed once nothing in the kernel holds its file for the loop any more. */
struct loop_release {
	int fd;
	/* On the loop's thread, perhaps within loop_release(). */
	void (*released)(struct loop_release *r);
	struct loop *loop; /* NULL: it has been destroyed meanwhile, and nothing can be posted to it */

	/* Private: */
	LIST_ENTRY(loop_release) entry;
	unsigned requests;
};

/*
 * Calls back once every request that refers to r->fd is through, those that were cancelled included; until then the
 * descriptor must stay open, and nothing more may be armed on it. A request that a device does not let go of holds it
 * up for as long. @r is the loop's until it is called back.
 */
void loop_release(struct loop *loop, struct loop_release *r);

/* Asks for an early end: the callback runs, with what was done by then or -ECANCELED. No-op unless armed. */
void loop_io_abort(struct loop_io *io);

static inline bool loop_io_armed(const struct loop_io *io)
{
	return io->op != NULL;
}
