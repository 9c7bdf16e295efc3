/*
 * A channel: one stream, from the origin's writers to every tap.
 *
 * Without taps the origin is an ordinary FIFO and the daemon is not in the way; a channel object
 * then exists only to keep what a creating handle wrote. With taps the daemon is the origin's
 * reader: it takes a chunk (whole references only, so a write of up to PIPE_BUF is never cut),
 * gives it to every tap, and takes the next once no tap is full.
 *
 * Everything here runs on the channel's worker.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "ends.h"
#include "inlet.h"
#include "prologue.h"
#include "rate-limit.h"
#include "replay.h"
#include "stamp.h"
#include "tap.h"
#include "owner-limits.h"
#include "origin-watch.h"

struct broadcast;
struct monitor;
struct worker;

struct channel {
	struct worker *worker;
	char *label; /* for the log */
	uid_t user;  /* whose it is, for the log; LOG_SOMEBODY: not known */
	struct fifo origin;
	struct settings settings;
	struct stamp *stamp;       /* the origin's */
	uint64_t now;              /* by stamp_clock(), as of this turn */
	struct charge charge;      /* for prologue, replay and ring (channel_ring_owed()) */
	struct charge descriptors; /* of its own, what is kept in the origin, and the replay */
	struct rate_limit rate_limit;
	struct replay replay;
	struct prologue prologue;
	struct inlet forever; /* open: streams have no end */

	int in;                       /* the origin's read end; -1 without taps and broadcasts */
	size_t seen;                  /* bytes that waited in the origin when it was last looked at */
	bool fresh;                   /* @in was opened since: a hang-up before that is not reported */
	bool over;                    /* no writer, and the last stream is all with the taps */
	bool gone;                    /* the origin has no name */
	bool dead;                    /* gone, and over: no stream can follow */
	bool pumps, pumps_again;      /* channel_pump() is under way, and has been called meanwhile */
	bool starved;                 /* out of descriptors or memory in mid-stream, and that is logged */
	bool late;                    /* something of the stream had been read before the daemon read it */
	const struct channel *relays; /* the origin is a tap of this one, which watches the node; NULL: it is none */
	struct loop_io readable;
	struct loop_io pause;
	struct watch writers;
	TAILQ_HEAD(taps, tap) taps;
	TAILQ_HEAD(broadcasts, broadcast) broadcasts;
	uint64_t private_taps;     /* made so far */
	struct channel_ends *ends; /* that the daemon drives; NULL: nothing was ever attached */

	struct inlets inlets;
	struct outlet keep; /* see keep.h */
	bool keeping;
	atomic_bool ending; /* what is kept is being read to its end, with a read end of the daemon's own; any thread */
	bool end_due;       /* a reader to come is owed the end of a stream, though it was empty */
	struct loop_io closed; /* an inlet is being closed */

	struct monitor *monitor; /* NULL: nobody watches */
	bool watched;            /* what happens is told: the monitor has had its first look */
	struct origin_watch origin_watch;

	uint64_t position; /* in the stream: its bytes that have come so far, as far as the daemon has seen it */
	bool line_ended;   /* the last of them is known to end a line */
	uint64_t streams;  /* ended */
	uint64_t bytes_in;
	uint64_t chunks_ref;  /* chunks moved by reference */
	uint64_t chunks_copy; /* small chunks, copied to be merged */
	uint64_t messages;    /* written to it, while it is a packet channel; what a source writes is not counted */
	uint64_t message_bytes;
	uint64_t
		blocks_nsec; /* since when the latest write of a feed finds no room, on clock_nsec(); 0: it found some */
	uint64_t lost;       /* bytes, with taps and ports that are gone, and what could not be kept */
};

/*
 * Any thread; nothing is opened. @label is copied. Returns 0, -ENOMEM, or -EDQUOT where the account in @limits has no
 * descriptor for it.
 */
int channel_create(struct channel **ch, struct worker *worker, uint64_t origin, const char *label,
		   const struct limits *limits);

/*
 * A channel over a tap of another one, on the same worker: what is read from the tap goes to this one's taps,
 * which are private ones.
 */
int channel_create_relay(struct channel **relay, struct channel *ch, uint64_t tap);

/* Drops what the channel holds. NULL-safe. */
void channel_destroy(struct channel *ch);

/*
 * Adds a tap on node @id: from the return on, it gets every byte that the origin gives. Returns 0
 * or a negative errno (EMFILE, ENFILE, ENOSPC of inotify, ENOMEM, EDQUOT) with the channel as it was.
 */
int channel_add_tap(struct channel *ch, uint64_t id, const struct limits *limits);

/*
 * The same without a name, for a sink: *id is its number, *rd the read end (O_NONBLOCK) of its pipe, the
 * caller's. The tap goes by itself once its stream's end is in the pipe.
 */
int channel_add_private_tap(struct channel *ch, uint64_t *id, int *rd, const struct limits *limits);

/*
 * Changes a setting of the channel (@tap 0) or of a tap; it holds from the next chunk on, and nothing is lost by it.
 * Returns 0, -ENOENT (no such tap), -EINVAL (not a setting of that; for packets see below), -EBUSY (the ring holds more
 * than it should), -EDQUOT, -EMFILE or -ENOMEM, with everything as it was.
 */
int channel_set(struct channel *ch, uint64_t tap, enum setting_key key, uint64_t value);

/* The same of SETTING_PROLOGUE, by value: @len bytes, copied. */
int channel_set_prologue(struct channel *ch, const char *bytes, size_t len);

/*
 * SETTING_PACKETS is changed by this alone: the stream moves to the FIFO of node @origin, that of now or a new one.
 * Returns 0, -EBUSY (data waits, somebody writes, also by SETTING_EOF never, or it has ports) or a negative errno of
 * fifo_open() or watch_add(), with everything as it was.
 */
int channel_set_packets(struct channel *ch, bool packets, uint64_t origin);

/* The value in force; of a size what the kernel has granted, where the daemon has the ring open. */
int channel_get(const struct channel *ch, uint64_t tap, enum setting_key key, uint64_t *value);

/* What the stream is made of (record.h): messages are whole writes. */
static inline uint64_t channel_record(const struct channel *ch)
{
	return ch->settings.value[SETTING_PACKETS] ? RECORD_WRITES : ch->settings.value[SETTING_RECORD];
}

/* What the first reader of each tap gets first (prologue.h); NULL: nothing. Messages have none. */
static inline const struct prologue *channel_prologue(const struct channel *ch)
{
	const struct prologue *p = ch->relays ? &ch->relays->prologue : &ch->prologue;

	return ch->settings.value[SETTING_PACKETS] || (!p->first && !p->len) ? NULL : p;
}

/* NULL: there is none (any more). */
struct tap *channel_find_tap(const struct channel *ch, uint64_t id);

/*
 * Drops the tap and its data, or the broadcast and its taps; without the last one the origin is an ordinary FIFO again. No-op
 * without it.
 */
void channel_remove_tap(struct channel *ch, uint64_t id);

/*
 * What waits goes: in a tap (tap_empty()), in those of a broadcast, or for a channel (@tap 0) what it replays. Returns 0, or
 * -ENOENT: there is no such tap.
 */
int channel_flush(struct channel *ch, uint64_t tap);

/* The origin has lost its name: once its writers are gone, every tap is at its end for ever. */
void channel_origin_gone(struct channel *ch);

/*
 * Puts in force what the channel was made with and needs the daemon without a tap too: an end that never comes.
 * Returns 0 or a negative errno of inlet_open().
 */
int channel_start(struct channel *ch);

/*
 * Tells of what the channel and its taps wait for (waits.h) and of their state inside: @line is called with a line
 * without its end, for the channel (@tap 0), and then for each tap, by its number. Changes nothing.
 */
void channel_dump(const struct channel *ch, void (*line)(void *data, uint64_t tap, const char *text), void *data);

/* Whether an end of the origin that the daemon has closed is perhaps still open, until the loop's next turn. */
bool channel_closing(const struct channel *ch);

/* Where it is ending: looks whether who has read the rest has gone, which may have been a moment ago. */
void channel_look(struct channel *ch);

/* Moves what can be moved. */
void channel_pump(struct channel *ch);
