/*
 * An outlet: the daemon's side of a FIFO that users read, kept alive while it has data.
 *
 *   IDLE     the daemon has nothing open: an ordinary FIFO, a reader's open waits for a stream.
 *   HOLDING  a write end is open: bytes stay without a reader, a reader's open succeeds at once,
 *            and poll(2) on it says POLLERR exactly while nobody reads.
 *   ENDING   the stream is over and all of it is in the FIFO, and a reader is there: only a read
 *            end is open, so the reader drains, then sees end of file. One who leaves before has
 *            left bytes: back to HOLDING, or the next reader's open would block before them. One reader
 *            alone stays in it until the next stream.
 *
 * An outlet on an anonymous pipe, for a sink of the daemon's own, is HOLDING until the stream is over and
 * all of it is read, and spent then.
 *
 * A splice into a FIFO that nobody reads is EPIPE (the daemon ignores SIGPIPE), so data then stays
 * where it is; inotify's OPEN is the moment to look again.
 */
#pragma once

#include <stdbool.h>

#include "fifo.h"
#include "loop.h"
#include "watch.h"

struct worker;

enum outlet_state { OUTLET_IDLE, OUTLET_HOLDING, OUTLET_ENDING };

struct outlet {
	struct fifo fifo; /* dir is -1 for an anonymous pipe */
	enum outlet_state state;
	int fd;              /* the write end while HOLDING, the read end while ENDING, else -1 */
	bool unread;         /* HOLDING and nobody reads, as far as known */
	bool visited;        /* a reader came, or made room; for who is told by changed() */
	bool single;         /* one reader, and nobody after him */
	bool attend;         /* it is to be known soon that nobody reads */
	bool leaving;        /* HOLDING again, and @room is a timer: who has just left may still pass for a reader */
	bool starved;        /* out of descriptors at the end of a stream; @room is a timer */
	int size;            /* bytes of capacity that are asked for */
	uid_t user;          /* whose it is, for the log */
	struct loop_io room; /* for room, or to look again */
	struct loop_io left; /* for readers to leave */
	struct watch peers;  /* for those who open it; while ENDING also for those who close it */
	/* A reader came or left, or there is room: look again. */
	void (*changed)(struct outlet *o);
};

/*
 * Watches the node. Returns 0 or a negative errno of fifo_open(), which gets @reserve, or of watch_add().
 */
int outlet_init(struct outlet *o, const struct fifo *fifo, int reserve, struct worker *w,
		void (*changed)(struct outlet *));

/*
 * The same for one reader alone, who has not come yet: HOLDING at once, with the node watched until outlet_single_unwatch().
 */
int outlet_single_init(struct outlet *o, const struct fifo *fifo, struct worker *w, void (*changed)(struct outlet *));
void outlet_single_unwatch(struct outlet *o);

/*
 * The stream is over and all of it is in the FIFO, which has one reader: to ENDING, so that he sees the end behind it. Wants
 * changed() as soon as he has left: HOLDING then, with @unread set, and what he has left is in the FIFO.
 */
void outlet_single_part(struct outlet *o, struct worker *w);

/* Whether the one reader, for whom it is HOLDING, has left, though the kernel may not have told of it yet; of others: no. */
bool outlet_single_left(struct outlet *o);

/* The same on the write end @wr of an anonymous pipe, which is the outlet's from now on. */
void outlet_init_pipe(struct outlet *o, int wr, struct loop *loop, void (*changed)(struct outlet *));

void outlet_finish(struct outlet *o);

/* To HOLDING. Returns 0 or a negative errno of fifo_open(). No-op there. */
int outlet_hold(struct outlet *o);

/*
 * The stream is over and all of it is in the FIFO: to ENDING if somebody reads. @dead: no stream
 * can follow, so every later reader is owed an end of file too. Returns true once the stream's end
 * has been delivered: the outlet is IDLE then.
 */
bool outlet_settle(struct outlet *o, bool dead);

/* Wants changed() also as soon as nobody reads, with @unread set; or not any more. */
void outlet_attend(struct outlet *o, bool attend);

/* Asks for another capacity. Returns 0, or -EBUSY with everything as it was: the FIFO holds more. */
int outlet_resize(struct outlet *o, int size);

/* The capacity in bytes: what was granted, where the daemon has the FIFO open, else what is asked for. */
int outlet_size(const struct outlet *o);

/* Nobody reads: drops what is in the FIFO; @sink is /dev/null. Returns the bytes. */
size_t outlet_discard(struct outlet *o, int sink);

/* Nobody reads, and the end of a stream is nobody's concern: to IDLE. */
void outlet_abandon(struct outlet *o);

/* Wants changed() when the FIFO has room again or its readers leave. */
void outlet_want_room(struct outlet *o);

/* An anonymous pipe whose end has been delivered: nothing can follow. */
static inline bool outlet_spent(const struct outlet *o)
{
	return o->fifo.dir < 0 && o->state == OUTLET_IDLE;
}

/* Whether the FIFO takes no more, as the kernel counts: its pages are used up. */
bool outlet_full(const struct outlet *o);

/* Whether somebody has the FIFO open for reading; while ENDING, as far as known. */
bool outlet_is_read(const struct outlet *o);

/* Bytes in the FIFO; 0 while IDLE, when the daemon cannot know. */
size_t outlet_waiting(const struct outlet *o);
