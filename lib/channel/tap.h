/*
 * A tap: one reader's own full copy of a channel's stream. The outlet is the FIFO of its name, or for a sink
 * of the daemon's own an anonymous pipe; the queue holds what the outlet does not take. All on the channel's
 * worker.
 */
#pragma once

#include <stdint.h>

#include "outlet.h"
#include "rate-limit.h"
#include "queue.h"
#include "owner-limits.h"
#include "stamp.h"

struct broadcast;
struct channel;
struct replay;
struct visitor;

/* Where a tap is in the stream. */
enum tap_seek {
	TAP_FLOWS,
	TAP_BEGINS,  /* it is new, and begins with the next record */
	TAP_RESUMES, /* something was dropped, and with it goes the rest of its last record */
	TAP_FLUSHED, /* the same of all that had been written up to tap->flushed */
};

/* Whether a tap that nobody reads keeps what comes for who reads it next (tap_forsake()). */
enum tap_keeps {
	TAP_KEEPS,    /* as its settings say */
	TAP_LEFT,     /* its reader is about to leave it: from then on not */
	TAP_FORSAKEN, /* nothing, until somebody reads it */
};

struct tap {
	struct channel *channel;
	TAILQ_ENTRY(tap) entry;
	uint64_t id;                   /* of its node, or above TAP_PRIVATE */
	struct broadcast *broadcast;   /* NULL: it is a name's own, or private; else it goes with its reader */
	TAILQ_ENTRY(tap) of_broadcast; /* the same, once he is there */
	struct visitor *visitor;       /* a broadcast's: who */
	bool held;                     /* private: its sink has bytes in hand that it may give back */
	enum tap_keeps keeps;
	struct settings settings;
	struct charge charge;      /* for the ring and the depth */
	struct charge descriptors; /* of its outlet and its queue */
	unsigned replay_pipes;     /* that it begins with, until it has caught up */
	struct outlet outlet;
	struct queue queue;
	struct rate_limit rate_limit;
	struct loop_io due;  /* the rate limit allows more, or to try again */
	bool starved;        /* its queue cannot be drained, and that is logged */
	size_t replayed;     /* bytes it began with, until it has caught up: they are not a part of the depth */
	enum tap_seek seek;  /* what comes next is cut at the next boundary */
	size_t sought;       /* bytes that had none */
	uint64_t flushed;    /* TAP_FLUSHED: where in the stream that is */
	bool stalled;        /* its outlet is full, and what comes next waits in the origin */
	bool owes;           /* nobody has read it yet: who comes first gets the prologue (prologue.h) */
	bool goes_on;        /* while he goes on with something that has its beginning: he gets none */
	size_t led;          /* bytes of the prologue that it got */
	uint64_t from;       /* while it owes, and something is queued: where in the stream that begins */
	bool delivered;      /* the last stream's end was seen, or no stream began since the tap did */
	uint64_t since;      /* what had come to its channel when it began (channel->bytes_in) */
	uint64_t bytes_out;  /* handed to the FIFO */
	struct stamp *stamp; /* its name's; NULL: it has none */
	uint64_t looked;     /* when it was last looked at how much has been read, as the stamp's times */
	uint64_t read;       /* and how much that was, of @bytes_out */
	uint64_t wants; /* with a latency: bytes that ring and depth are to hold from the next look on; 0: as they do */
	uint64_t taken_rate;  /* with a latency: bytes a second that its reader takes; 0: not known yet */
	uint64_t skipped;     /* bytes of what had begun before it did */
	uint64_t lost;        /* bytes dropped, or taken by a kernel failure; that is also a line in the log */
	uint64_t drops;       /* how often */
	uint64_t blocks_nsec; /* when it began to hold the writer back the last time, on clock_nsec(); */
	uint64_t blocks_at;   /* what it had handed out and lost by then */
	uint64_t blocks_read; /* and how much of that had been read; UINT64_MAX: nobody asked */
	/* Its reader, or what it may send, has changed: tap_update(), and what follows. It may free the tap. */
	void (*changed)(struct tap *tap);
};

/* No node has such a number. */
#define TAP_PRIVATE ((uint64_t)1 << 63)

/* Returns 0, -EDQUOT, or a negative errno of outlet_init(). */
int tap_create(struct tap **tap, struct channel *ch, uint64_t id, const struct limits *limits,
	       void (*changed)(struct tap *));

/*
 * A tap for @visitor alone, on his node, with the limits of the broadcast @b: held open at once, and nobody reads it yet.
 * The visitor, whose tap it is then, is told of its end, but not where it is not made.
 */
int tap_create_awaited(struct tap **tap, struct broadcast *b, struct visitor *visitor, const struct limits *limits,
		       void (*changed)(struct tap *));

/* The reader who was awaited is there. */
void tap_visited(struct tap *tap);

/* A tap on an anonymous pipe, whose read end *rd (O_NONBLOCK) is the caller's. Returns 0 or a negative errno. */
int tap_create_private(struct tap **tap, struct channel *ch, uint64_t id, int *rd, const struct limits *limits,
		       void (*changed)(struct tap *));

/* Drops what the tap holds. NULL-safe. */
void tap_destroy(struct tap *tap);

/*
 * The channel's stream is over and another one begins, of which nothing is old: what is left of the old one in a tap that nobody has read gets that
 * one's prologue, where there is a descriptor for it.
 */
void tap_stream_begins(struct tap *tap);

/*
 * Gets ready for a stream: the outlet holds, the queue has its reserve, and a reader the prologue. Returns the reserve's
 * capacity in bytes, or a negative errno. A tap that does not block does without the reserve.
 */
int tap_prepare(struct tap *tap);

/*
 * Begins with what @replay holds, before it takes anything. Returns 0 or a negative errno (EMFILE, ENFILE, ENOMEM).
 */
int tap_begin_with(struct tap *tap, const struct replay *replay);

/* Takes the chunk whole, after tap_prepare(), or drops it or others whole, as the policy says. */
void tap_take(struct tap *tap, const struct chunk *chunk);

/*
 * Moves a chunk from the pipe @fd, where @waiting bytes are, straight into the outlet or the queue, for a channel's
 * only tap. Returns the bytes; 0 or a negative errno: tap_take() is the way, unless the tap is stalled now.
 */
ssize_t tap_move(struct tap *tap, int fd, size_t waiting, struct chunk_start start);

/*
 * Moves what is queued into the outlet; at the stream's end, lets the reader see it. Returns true where the
 * tap is private and through, or its one reader has gone: it is to be removed.
 */
bool tap_update(struct tap *tap);

/* Something has changed that the tap does not see by itself. The tap may be gone afterwards. */
static inline void tap_look(struct tap *tap)
{
	tap->changed(tap);
}

/*
 * Takes what waits in the outlet, whose read end is @rd, back to the head of the queue, so that what was read
 * before can be put in front (queue_prepend()); tap_update() moves it out again. Returns 0, or a
 * negative errno and all of it is still in the outlet.
 */
int tap_recall(struct tap *tap, int rd);

/*
 * Drops, and counts as lost, what waits in it, and in the origin for it: so what it hands out next was written afterwards, but
 * for what is cut off then up to the next boundary. Of what a reader has taken meanwhile nothing comes back.
 */
void tap_empty(struct tap *tap);

/*
 * As tap_recall(), of a tap of which nothing has been read: and what it was given of the prologue goes, for its next reader goes
 * on with something that has its beginning.
 */
int tap_go_on(struct tap *tap, int rd);

/* Who reads it leaves it for good: once nobody reads, what waits and what comes is dropped until somebody does. */
void tap_forsake(struct tap *tap);

/* Counts what the tap has missed, or has lost. */
void tap_lose(struct tap *tap, size_t bytes);

/* Bytes held for the reader: queued and in the outlet. */
static inline size_t tap_waiting(const struct tap *tap)
{
	return tap->queue.bytes + outlet_waiting(&tap->outlet);
}

/* Full, it holds the writer back. */
static inline bool tap_blocks(const struct tap *tap)
{
	return tap->settings.value[SETTING_POLICY] == POLICY_BLOCK;
}

static inline uint64_t tap_depth(const struct tap *tap)
{
	return tap->settings.value[SETTING_DEPTH] + tap->replayed;
}

static inline bool tap_full(const struct tap *tap)
{
	return queue_full(&tap->queue, tap_depth(tap)) || tap->stalled;
}

/*
 * The next chunk has to wait for the tap. It is the same wait while nothing goes to the reader, however often somebody
 * looks: so a clock is read once for each, and never while data flows.
 */
void tap_note_block(struct tap *tap);

/* Whether the writer has to wait for it, where there is something to be written. */
static inline bool tap_holds(const struct tap *tap)
{
	return tap_full(tap) && tap_blocks(tap);
}

/* With a latency, size and depth are those of a tap of which no rate is known yet. */
void tap_latency_begin_with(struct settings *settings);

/*
 * Changes a setting; see channel_set(). What the tap holds stays.
 */
int tap_set(struct tap *tap, enum setting_key key, uint64_t value);
