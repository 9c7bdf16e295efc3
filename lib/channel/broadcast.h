/*
 * A broadcast: a name of a channel of which each opening for reading is a tap of its own. It has what these taps begin
 * with, and counts what those had that are gone.
 *
 * Who looks the name up is a *visitor*, and is *awaited*: before he is answered he gets a FIFO of his own, which the
 * daemon holds open for writing, so that he finds a writer however he opens it. As soon as he has opened it, his tap is one of
 * the channel's, and it goes with him. Who has not opened it within BROADCAST_NSEC is let go, for most never will:
 * stat(2) looks names up, too. Who may still be about to open it then is awaited again and again, but for a short time: who
 * waits in open(2) comes in at once.
 *
 * While nobody has it open the stream waits for a reader, as in a FIFO, unless the policy drops, or what is not read is not
 * to be kept. Its writers stay: the daemon is the origin's reader as long as there is a broadcast.
 *
 * All on the channel's worker.
 */
#pragma once

#include "clock.h"
#include "tap.h"
#include "visitors.h"

#define BROADCAST_NSEC NSEC_PER_SEC
#define BROADCAST_AGAIN_NSEC (NSEC_PER_SEC / 50)

struct broadcast {
	struct channel *channel;
	TAILQ_ENTRY(broadcast) entry;
	uint64_t id; /* of its node */
	struct settings settings;
	struct stamp *stamp; /* its taps' */
	bool ruled;          /* the policy was set: else who may not write the channel cannot hold its writer back */
	struct visitors awaited;
	TAILQ_HEAD(, tap) taps; /* of those who are there; the channel's as well */
	struct loop_io due;     /* somebody is to be let go */
	uint64_t bytes_out;     /* of taps that are gone, as what follows */
	uint64_t lost;          /* with what came while there was no reader, and was dropped */
	uint64_t drops;
	uint64_t flushed;     /* what was before this byte of the stream is not wanted any more */
	uint64_t waits_nsec;  /* when the stream began to wait for its reader the last time, on clock_nsec(); */
	uint64_t waits_at;    /* and what had come by then */
	uint64_t blocks_nsec; /* when it was found that the origin has no room for a writer any more; 0: it has some */
	struct loop_io room;  /* looks at that again */
};

/*
 * Adds a broadcast of node @id, with @settings for its taps. @ruled: its policy was asked for. Returns 0, or a negative errno
 * of channel_add_tap() with the channel as it was. channel_remove_tap() removes it, with its taps.
 */
int channel_add_broadcast(struct channel *ch, uint64_t id, const struct settings *settings, bool ruled);

/*
 * Awaits @v, who has looked the broadcast @id up. Returns 0, and v->gone() follows, some day; or a negative errno, and it does
 * not: -ENOENT (there is no such broadcast), -EDQUOT (his), -EMFILE, ENFILE, ENOSPC of inotify, ENOMEM.
 */
int channel_await(struct channel *ch, uint64_t id, struct visitor *v);

/* Nobody can open what he was answered with any more: v->gone() follows within the call, unless that has been called. */
void channel_dismiss(struct channel *ch, struct visitor *v);

/* ---- for the other files of a channel ---- */

/* NULL: there is none. */
struct broadcast *broadcast_find(const struct channel *ch, uint64_t id);

/* Sets it, also for the taps that are there; those whose readers may not have as much stay as they are. */
void broadcast_set(struct broadcast *b, enum setting_key key, uint64_t value);

/* @tap is one of its own: it is one of the channel's from now on, it begins with what comes next, and it is not any more. */
void broadcast_came(struct tap *tap);
void broadcast_begins(struct tap *tap);
void broadcast_left(struct tap *tap);

/* Removes the one of node @id, if there is one, with its taps. */
void broadcasts_remove(struct channel *ch, uint64_t id);

/* All of them, whose taps are gone but for those that are awaited. */
void broadcasts_destroy(struct channel *ch);

/*
 * Whether anybody is awaited; and takes in those who are there already, though the kernel has not told of it yet: what has
 * been taken from the origin may have been written after their open(2). A system call for each 64 of them.
 */
bool broadcasts_await(const struct channel *ch);
void broadcasts_admit(struct channel *ch);

/*
 * Takes the taps of those away who have left, though the kernel has not told of it yet: what is to be taken from the origin may
 * have been written after that. All of them before a stream's first chunk; later as many as hide that nobody is there, which is
 * one system call where somebody is.
 */
void broadcasts_dismiss(struct channel *ch);

/* The one whose reader the stream waits for: there is no tap, and what comes is to be kept for who opens that. NULL: none. */
struct broadcast *broadcast_holder(const struct channel *ch);

/* It is so, and bytes wait: it is the same wait as long as nothing is taken. Whether that holds a writer back is looked at. */
void broadcast_note_wait(struct broadcast *b);

/* A stream begins: nothing of it was flushed. */
void broadcasts_begin(struct channel *ch);

/* What has come to the origin by now is nothing for its readers to come: the pump drops it, where nobody else waits for it. */
void broadcast_flush(struct broadcast *b);

/* There is no tap, and nobody waits for what has come to the origin, for it was flushed. */
bool broadcasts_pass(const struct channel *ch);

/* There is no tap, and @bytes are dropped. */
void broadcasts_miss(struct channel *ch, size_t bytes);

/* The node that has the tap's name; above TAP_PRIVATE: none has. */
static inline uint64_t broadcast_name_of(const struct tap *tap)
{
	return tap->broadcast ? tap->broadcast->id : tap->id;
}
