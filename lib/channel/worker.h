/*
 * A worker: a thread with an event loop, and what the channels that live on it use in turn. A channel lives on one worker
 * for ever, so the data plane has no locks: everything of a channel is called on its worker's thread, by tasks posted
 * to worker->loop.
 *
 * Who has a FIFO open can hold its lock for as long as they like, and the worker waits for it; so does a socket's. So a
 * worker serves the channels of one user alone (engine.h).
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "linger.h"
#include "loop.h"
#include "pipe.h"
#include "watch.h"

struct channel;
struct event;
struct queue;

/* What is told of channels, on their worker's thread. */
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

/* Who, beside its owner, may come to a channel, as far as modes tell: what such a one holds up holds up others alike. */
enum worker_reach {
	WORKER_CLOSED, /* nobody: by its own mode */
	WORKER_HIDDEN, /* nobody: its own mode is for others as well, but no way leads to it */
	WORKER_OPEN,   /* others */
};

struct worker {
	struct loop *loop;
	struct engine_events events;
	struct watcher watcher; /* who opens what has taps, and taps */
	struct watcher origins; /* of channels without taps; see origin-watch.h */
	pthread_t thread;
	int dir;           /* the folder of numbers; see fifo.h */
	int null;          /* /dev/null; not owned, as the folder */
	struct pipe stage; /* empty between chunks */
	int stage_size;    /* its capacity in bytes: no reader's reserve is smaller */
	int pipe_size;     /* what the kernel makes of a pipe of PIPE_SIZE, as far as known */
	char *buffer;      /* one page, for small chunks */
	struct lingers lingers;

	/* The engine's. */
	TAILQ_ENTRY(worker) entry;
	uid_t uid;               /* whose channels; of a shared one the remainder */
	enum worker_reach reach; /* of those channels, when they got it */
	bool shared;
	bool leaving;   /* its thread ends, and nothing is posted to it */
	bool stands;    /* it has been in one call for long; who sees that says so, and when it is over */
	uint64_t stood; /* since then, by clock_nsec() */
	char *standing; /* in what, in words; NULL: not known */
	unsigned long seen_turn;
	unsigned seen_ticks; /* for who looks whether it does (watchdog.h) */
	unsigned channels;   /* that live on it */
	uint64_t rests;      /* since then it has none, by clock_nsec() */
};

/*
 * Makes one, and starts its thread. Does not wait for a file system. Returns 0, or a negative errno of loop_create(),
 * loop_start(), watcher_open() or pipe_open().
 */
int worker_create(struct worker **worker, int dir, int null, const struct engine_events *events);

/* Its thread ends, once what was posted is done; see loop_stop(). */
void worker_stop(struct worker *w);

/* Waits for the end of its thread; see loop_ended(). Channels must be gone or are abandoned with what they hold. */
void worker_destroy(struct worker *w);

/*
 * Empties the stage of its @len bytes. What the kernel would keep there, against its word, would be
 * taken for the next chunk: the stage is then made anew.
 */
void worker_clear_stage(struct worker *w, size_t len);

/* Makes the empty stage about as large as @size, for no reader's reserve may be smaller. */
void worker_fit_stage(struct worker *w, int size);

/* The size of the first message of @q, by way of the empty stage; 0 where it cannot be told. */
size_t worker_first_packet(struct worker *w, const struct queue *q);

/* A channel is small while what waits is less than a page: it is then copied, to be merged. */
#define SMALL_CHUNK 4096
