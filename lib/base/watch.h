/*
 * Who opens and closes a FIFO: inotify(7) on the node, the daemon's only news of its peers.
 *
 * Events are hints to look again, never counted: they report the daemon's own opens too, and the
 * queue may overflow (then every watch is told). An open that blocks reports nothing until it
 * succeeds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "loop.h"

struct watcher {
	int fd;
	struct loop_io io;
	struct loop_io rest;   /* it goes, unless it has watches by then */
	struct watch *watches; /* by wd */
	struct watch *next;    /* to be told of an overflow that is being told */
	bool stays;            /* also without watches */
	bool watched;          /* it has had any */
	bool telling;          /* what has been read is being told */
};

struct watch {
	struct watcher *watcher; /* NULL: not watching */
	int wd;
	/*
	 * @mask: what happened (IN_OPEN, IN_CLOSE_NOWRITE ...); 0 after an overflow. It may remove any watch, and free
	 * what it belongs to.
	 */
	void (*event)(struct watch *watch, uint32_t mask);
	UT_hash_handle hh;
};

/* For a zero watcher: it has no inotify yet. */
void watcher_init(struct watcher *w, struct loop *loop);

/*
 * Gets it one for good. Else it has one while there are watches, and some time longer: watch_add() gets it. Returns 0 or a negative errno of
 * inotify_init1(2): EMFILE past fs.inotify.max_user_instances.
 */
int watcher_open(struct watcher *w);

/* No-op where it is zero. */
void watcher_finish(struct watcher *w);

/* Tells what has happened so far. */
void watcher_drain(struct watcher *w);

/* Whether something has happened that has not been told yet, or may not. A system call. */
bool watcher_has_news(const struct watcher *w);

/*
 * Watches the node behind @fd (O_PATH will do). One watch a node. Returns 0 or a negative errno of watcher_open() or
 * inotify_add_watch(2): ENOSPC past fs.inotify.max_user_watches.
 */
int watch_add(struct watch *watch, struct watcher *w, int fd, uint32_t mask, void (*event)(struct watch *, uint32_t));

/* Watches for @mask from now on; @fd is of the same node. The same errors, with everything as it was. */
int watch_change(struct watch *watch, int fd, uint32_t mask);

void watch_remove(struct watch *watch);
