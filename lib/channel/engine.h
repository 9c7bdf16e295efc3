/*
 * The engine: the workers (worker.h), and which of them a channel lives on.
 *
 * One who can open a channel can hold the lock of its pipes, for as long as he likes, by reading into memory that does not
 * come; its worker waits for that in the kernel, and cannot be told to give up. So channels of different users have
 * different workers, and among one user's those that others may come to have other workers than those that he alone may
 * open, and than those that others only cannot reach (enum worker_reach): what somebody does to a worker is done to channels
 * that he may open, or to those of the same owner that others may open as well. A channel stays where it is, though modes
 * may change: so what is opened to others later is among those that were as it was.
 *
 * A worker is made when a channel needs it, and goes ENGINE_REST_NSEC after its last one; the daemon's own user's and
 * shared ones stay.
 * Each user may have `workers` for each sort of channels. More than the first are made while there are fewer than
 * ENGINE_WORKERS_SPARE. Beyond ENGINE_WORKERS_MAX, or where none can be made, users share some, by their numbers: never one
 * that was another's alone.
 *
 * All of it on one thread, the one that makes channels.
 */
#pragma once

#include "worker.h"

#define ENGINE_WORKERS_MAX 256
#define ENGINE_WORKERS_SPARE 64
#define ENGINE_REST_NSEC (60 * NSEC_PER_SEC)

struct engine;

/*
 * Makes the first workers of the daemon's own user, one for what is open and one for what is closed. @workers: for each sort of each user's channels.
 * @dir: the folder of FIFOs named by fifo_name(); it stays the caller's, who closes it after engine_destroy(). @events may
 * be NULL. Returns 0 or a negative errno of worker_create(), or open(2) of /dev/null.
 */
int engine_create(struct engine **engine, unsigned workers, int dir, const struct engine_events *events);

/*
 * The worker for one more channel, of user @uid. Owes engine_release(). Returns 0 or a
 * negative errno of worker_create(), logged: there is none, and none to share.
 */
int engine_assign(struct engine *engine, uid_t uid, enum worker_reach reach, struct worker **worker);

/* One channel less on it. */
void engine_release(struct worker *worker);

/* Lets go of workers that have nothing to do, as of @now (clock_nsec()). Returns whether to look again later. NULL-safe. */
bool engine_rest(struct engine *engine, uint64_t now);

/*
 * The worker after @worker, NULL: the first; with those that leave. NULL: it was the last, or there is no engine.
 */
struct worker *engine_next(struct engine *engine, struct worker *worker);

/* The end where workers stand: all others end, if they come to it within @nsec nanoseconds, which it waits for. */
void engine_abandon(struct engine *engine, uint64_t nsec);

/* Whether a worker that leaves has not ended yet. NULL-safe. */
bool engine_has_leaving(const struct engine *engine);

/* Joins the threads. Channels must be gone or are abandoned with what they hold. NULL-safe. */
void engine_destroy(struct engine *engine);
