/*
 * The engine: a few worker threads, each one event loop. A channel lives on one worker for ever, so
 * the data plane has no locks: everything of a channel is called on its worker's thread, by tasks
 * posted to worker->loop.
 */
#pragma once

#include <pthread.h>

#include "linger.h"
#include "loop.h"
#include "pipe.h"
#include "watch.h"

struct channel;
struct event;
struct queue;

/* What the engine tells, on a worker's thread. */
struct engine_events {
	/* Somebody, perhaps the daemon itself, opened the origin of a channel with taps. */
	void (*origin_opened)(void *data);
	/*
	 * Somebody opened the origin of a channel without taps, which the daemon has not open: its ring is to have
	 * @size bytes.
	 */
	void (*ring_opened)(void *data, struct channel *ch, int size);
	/* A port has come to its end, or is being detached. */
	void (*port_ended)(void *data, struct channel *ch, unsigned id);
	/* Something has happened to a channel that is watched (monitor.h). */
	void (*happened)(void *data, struct channel *ch, const struct event *e);
	void *data;
};

struct worker {
	struct loop *loop;
	struct engine_events events;
	struct watcher watcher; /* who opens what has taps, and taps */
	struct watcher leavers; /* of taps; see outlet.h */
	struct watcher origins; /* of channels without taps; see origin-watch.h */
	pthread_t thread;
	int dir;           /* the folder of numbers; see fifo.h */
	struct pipe stage; /* empty between chunks */
	int stage_size;    /* its capacity in bytes: no reader's reserve is smaller */
	int null;          /* /dev/null */
	char *buffer;      /* one page, for small chunks */
	struct lingers lingers;
};

/*
 * Empties the stage of its @len bytes. What the kernel would keep there, against its word, would be
 * taken for the next chunk: the stage is then made anew.
 */
void worker_clear_stage(struct worker *w, size_t len);

/* Makes the empty stage about as large as @size, for no reader's reserve may be smaller. */
void worker_fit_stage(struct worker *w, int size);

/* The size of the first message of @q, by way of the empty stage; 0 where it cannot be told. */
size_t worker_first_packet(struct worker *w, const struct queue *q);

struct engine;

/* A channel is small while what waits is less than a page: it is then copied, to be merged. */
#define SMALL_CHUNK 4096

/*
 * Starts @workers threads. @dir: the folder of FIFOs named by fifo_name(); it stays the caller's, who closes it after
 * engine_destroy(). @events may be NULL. Does not wait for a file system. Returns 0 or a negative errno.
 */
int engine_create(struct engine **engine, unsigned workers, int dir, const struct engine_events *events);

/* The worker that the next channel should live on: one after the other. Any one thread. */
struct worker *engine_next_worker(struct engine *engine);

/* Worker @i, or NULL past the last. NULL-safe: there is none. */
struct worker *engine_worker(struct engine *engine, unsigned i);

/* Joins the threads. Channels must be gone or are abandoned with what they hold. NULL-safe. */
void engine_destroy(struct engine *engine);
